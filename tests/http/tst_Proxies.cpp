#include "RawClient.h"
#include "http/ClientAddress.h"

using namespace companion::http;
using companion::http::test::RawClient;

namespace {

TrustedProxies proxies(const QStringList &networks, TrustedProxies::Header header)
{
    return *TrustedProxies::parse(networks, header);
}

// Answers with the address it holds for the client's; /keep never answers.
struct Rig
{
    Router router;
    std::unique_ptr<Server> server;
    QList<Exchange> kept;
    quint16 port = 0;

    explicit Rig(const QStringList &trusted, Limits limits = {})
    {
        router.add(Method::Get, QStringLiteral("/who"),
                   [](Exchange e) { e.send(Reply::text(e.request().peer.toString().toLatin1(), "text/plain")); });
        router.add(Method::Get, QStringLiteral("/keep"), [this](Exchange e) { kept.append(e); });
        server = std::make_unique<Server>(router, limits);
        server->trustProxies(proxies(trusted, TrustedProxies::Header::XForwardedFor));
        port = *server->listen(QHostAddress::LocalHost, 0);
    }
};

QByteArray ask(const QByteArray &path, const QByteArray &client)
{
    const QByteArray line = client.isEmpty() ? QByteArray() : "X-Forwarded-For: " + client + "\r\n";
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + line + "\r\n";
}

} // namespace

class tst_Proxies : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void an_address_has_one_spelling_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("address"); // empty: none
        const auto row = [](const char *text, const char *address = "") {
            QTest::newRow(text) << QByteArray(text) << QString::fromLatin1(address);
        };
        row("192.0.2.1", "192.0.2.1");
        row("2001:DB8::1", "2001:db8::1");
        row("::ffff:192.0.2.1", "192.0.2.1");
        for (const char *other : {"", "1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "192.0.2.01", "192.0.2.256",
                                  "192.0.2.1.", "192.0.2.1 ", " 192.0.2.1", "192.0.2", "fe80::1%eth0", "localhost",
                                  "unknown", "2001:db8::1::2", "::ffff:1.2.3.4.5", "[::1]", "+1.2.3.4"})
            row(other);
    }
    void an_address_has_one_spelling()
    {
        QFETCH(const QByteArray, text);
        QFETCH(const QString, address);
        const auto parsed = parseAddress(text);
        QCOMPARE(parsed.isNull() ? QString() : parsed.toString(), address);
    }

    void limits_count_networks_not_addresses()
    {
        const auto network = [](const char *text) { return networkOf(QHostAddress(QString::fromLatin1(text))); };
        QCOMPARE(network("192.0.2.1"), u"192.0.2.1");
        QCOMPARE(network("::ffff:192.0.2.1"), u"192.0.2.1");
        QCOMPARE(network("2001:db8:1:2:3:4:5:6"), u"2001:db8:1:2::/64");
        QCOMPARE(network("2001:db8:1:2:ffff::"), network("2001:db8:1:2::1"));
        QVERIFY(network("2001:db8:1:2::1") != network("2001:db8:1:3::1"));
    }

    void what_is_no_network_is_not_trusted_data()
    {
        QTest::addColumn<QString>("text");
        for (const char *text : {"", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/", "::/129",
                                 "0.0.0.0/0", "::/0", "proxy.example.com", "*", "10.0.0.0/8x"})
            QTest::newRow(text) << QString::fromLatin1(text);
    }
    void what_is_no_network_is_not_trusted()
    {
        QFETCH(const QString, text);
        QVERIFY(!TrustedProxies::parse({text}, TrustedProxies::Header::Forwarded));
    }

    void the_client_is_the_first_who_is_not_trusted_data()
    {
        QTest::addColumn<QString>("peer");
        QTest::addColumn<QByteArray>("xForwardedFor"); // lines, separated by |
        QTest::addColumn<QString>("client");
        const auto row = [](const char *name, const char *peer, const char *header, const char *client) {
            QTest::newRow(name) << QString::fromLatin1(peer) << QByteArray(header) << QString::fromLatin1(client);
        };
        row("no header", "10.0.0.1", "", "10.0.0.1");
        row("one hop", "10.0.0.1", "192.0.2.7", "192.0.2.7");
        row("two trusted hops", "10.0.0.1", "192.0.2.7, 10.9.9.9", "192.0.2.7");
        row("from nobody we trust", "192.0.2.1", "192.0.2.7", "192.0.2.1");
        row("a client who invents a chain", "10.0.0.1", "127.0.0.1, 192.0.2.7", "192.0.2.7");
        row("and in a line of its own", "10.0.0.1", "127.0.0.1|192.0.2.7", "192.0.2.7");
        row("a client inside", "10.0.0.1", "10.0.0.2", "10.0.0.2");
        row("mapped peer", "::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7");
        row("IPv6", "fd00::1", "2001:db8::7", "2001:db8::7");
        row("with a port", "10.0.0.1", "192.0.2.7:4711", "192.0.2.7");
        row("IPv6 with a port", "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7");
        row("hidden", "10.0.0.1", "unknown", "10.0.0.1");
        row("garbage ends the walk", "10.0.0.1", "192.0.2.7, nonsense", "10.0.0.1");
        row("garbage in front of the client is the client's", "10.0.0.1", "nonsense, 192.0.2.7", "192.0.2.7");
        row("an empty entry", "10.0.0.1", "192.0.2.7,", "10.0.0.1");
        row("octal", "10.0.0.1", "0300.0.2.7", "10.0.0.1");
        row("a port that is none", "10.0.0.1", "192.0.2.7:x", "10.0.0.1");
        row("a bracket left open", "10.0.0.1", "[2001:db8::7", "10.0.0.1");
        row("a bracket around IPv4", "10.0.0.1", "[192.0.2.7]", "10.0.0.1");
    }
    void the_client_is_the_first_who_is_not_trusted()
    {
        QFETCH(const QString, peer);
        QFETCH(const QByteArray, xForwardedFor);
        QFETCH(const QString, client);
        Headers headers;
        if (!xForwardedFor.isEmpty())
            for (const auto &line : xForwardedFor.split('|'))
                headers.add("X-Forwarded-For", line);
        headers.add("Forwarded", "for=198.51.100.1"); // the header that is not configured is the client's own word
        const auto trusted =
            proxies({QStringLiteral("10.0.0.0/8"), QStringLiteral("fd00::/8")}, TrustedProxies::Header::XForwardedFor);
        QCOMPARE(trusted.clientOf(QHostAddress(peer), headers).toString(), client);
    }

    void forwarded_is_read_as_its_rfc_says_or_not_at_all_data()
    {
        QTest::addColumn<QByteArray>("forwarded");
        QTest::addColumn<QString>("client");
        const auto row = [](const char *header, const char *client = "10.0.0.1") {
            QTest::newRow(header) << QByteArray(header) << QString::fromLatin1(client);
        };
        row("for=192.0.2.7", "192.0.2.7");
        row("For=\"192.0.2.7:80\"; proto=https;by=203.0.113.43", "192.0.2.7");
        row("proto=http;for=\"[2001:db8::7]:4711\"", "2001:db8::7");
        row("for=1.1.1.1, for=192.0.2.7 , for=10.2.2.2", "192.0.2.7");
        row("for=\"_hidden, for=1.1.1.1\", for=192.0.2.7", "192.0.2.7");
        row("for=192.0.2.7;for=192.0.2.8");
        row("for=\"open, for=192.0.2.7");
        row("for=\"open\\");
        row("for=unknown");
        row("for=_hidden");
        row("by=192.0.2.7");
        row("for");
        row("for=");
        row("for=192.0.2.7,");
        row(",for=192.0.2.7");
        row("for=192.0.2.7 for=192.0.2.8");
        row("for =192.0.2.7");
        row("for=2001:db8::7");
    }
    void forwarded_is_read_as_its_rfc_says_or_not_at_all()
    {
        QFETCH(const QByteArray, forwarded);
        QFETCH(const QString, client);
        Headers headers;
        headers.add("Forwarded", forwarded);
        headers.add("X-Forwarded-For", "198.51.100.1");
        const auto trusted = proxies({QStringLiteral("10.0.0.0/8")}, TrustedProxies::Header::Forwarded);
        QCOMPARE(trusted.clientOf(QHostAddress(QStringLiteral("10.0.0.1")), headers).toString(), client);
    }

    void the_handler_sees_the_client_behind_a_trusted_proxy_only()
    {
        Rig trusting({QStringLiteral("127.0.0.1")});
        RawClient proxy(trusting.port);
        proxy.say(ask("/who", "192.0.2.7") + ask("/who", "2001:db8::1") + ask("/who", {}));
        QCOMPARE(proxy.next().body, "192.0.2.7");
        QCOMPARE(proxy.next().body, "2001:db8::1");
        QCOMPARE(proxy.next().body, "127.0.0.1");
        Rig other({QStringLiteral("10.0.0.0/8")});
        RawClient client(other.port);
        client.say(ask("/who", "192.0.2.7"));
        QCOMPARE(client.next().body, "127.0.0.1");
    }

    void a_proxy_has_many_connections_and_each_client_behind_it_few_requests()
    {
        Limits limits;
        limits.connectionsPerAddress = 2;
        Rig rig({QStringLiteral("127.0.0.1")}, limits);
        std::vector<std::unique_ptr<RawClient>> connections;
        const auto keep = [&](const QByteArray &client) {
            connections.push_back(std::make_unique<RawClient>(rig.port));
            connections.back()->say(ask("/keep", client));
        };
        for (const char *client : {"192.0.2.7", "192.0.2.7", "192.0.2.8", "2001:db8::1", "2001:db8::2"})
            keep(client);
        QTRY_COMPARE(rig.kept.size(), 5);
        keep("192.0.2.7");
        QCOMPARE(connections.back()->next().status, 503);
        keep("2001:db8::3"); // the same /64
        QCOMPARE(connections.back()->next().status, 503);
        rig.kept.first().send(Reply::noContent());
        QCOMPARE(connections.front()->next().status, 204);
        keep("192.0.2.7"); // an answer makes room
        QTRY_COMPARE(rig.kept.size(), 6);
        connections.erase(connections.begin() + 1); // and so does a client who leaves
        QTRY_VERIFY(rig.kept.at(1).isGone());
        keep("192.0.2.7");
        QTRY_COMPARE(rig.kept.size(), 7);
    }

    void counts_go_back_to_nothing()
    {
        Limits limits;
        limits.connectionsPerAddress = 1;
        Rig rig({QStringLiteral("127.0.0.1")}, limits);
        for (int i = 0; i < 50; ++i) {
            RawClient proxy(rig.port);
            proxy.say(ask("/who", "192.0.2.7"));
            QCOMPARE(proxy.next().status, 200);
            proxy.say("GET /keep HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
            QTRY_COMPARE(rig.kept.size(), 1);
            if (i % 2)
                rig.kept.clear(); // 500
            else
                proxy.socket().abort();
            QTRY_VERIFY(rig.kept.isEmpty() || rig.kept.first().isGone());
            rig.kept.clear();
        }
    }
};

QTEST_GUILESS_MAIN(tst_Proxies)
#include "tst_Proxies.moc"
