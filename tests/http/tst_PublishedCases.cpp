#include "RawClient.h"
#include "Wire.h"
#include "http/RequestReader.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>

using namespace companion;
using namespace companion::http;
using companion::http::test::RawClient;

// Raw requests that others published (http11probe, gunicorn). They stay outside the repository; the repository's own
// cases, which cover the same rules, are in tst_HeadParser and tst_RequestReader.
namespace {

QDir published()
{
    return QDir(QStringLiteral(PUBLISHED_CASES)); // by CMakeLists.txt; __FILE__ is relative under ccache
}

QByteArray fileBytes(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        qFatal("cannot read %s", qPrintable(path));
    return file.readAll();
}

// gunicorn's notation: real newlines mean nothing, \r \n \t \0 \xHH are bytes.
QByteArray decoded(QByteArray text)
{
    text.replace("\r", "").replace("\n", "");
    QByteArray out;
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text.at(i) != '\\' || i + 1 == text.size()) {
            out += text.at(i);
            continue;
        }
        const char c = text.at(++i);
        if (c == 'x') {
            out += QByteArray::fromHex(text.mid(i + 1, 2));
            i += 2;
        } else {
            out += c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
        }
    }
    return out;
}

struct Story
{
    QList<QByteArray> requests; // target and body of each
    int refused = 0;            // status
    QString why;
    bool bodyMissing = false; // fewer bytes than the head announced
    bool operator==(const Story &) const = default;
};

Story storyOf(const QList<QByteArray> &pieces)
{
    RequestReader reader({});
    Story story;
    for (const auto &piece : pieces) {
        reader.feed(piece);
        while (reader.state() == RequestReader::State::Complete) {
            story.requests.append(reader.head().target + " " + reader.body());
            reader.next();
        }
    }
    story.bodyMissing = reader.state() == RequestReader::State::Body;
    if (reader.state() == RequestReader::State::Refused) {
        story.refused = describe(reader.refusal().code).status;
        story.why = reader.refusal().detail;
    }
    return story;
}

// gunicorn's valid requests often have no Host, which RFC 9112 does not allow.
QByteArray withHost(const QByteArray &bytes)
{
    static const QRegularExpression host(QStringLiteral("\\r\\nhost:"), QRegularExpression::CaseInsensitiveOption);
    if (QString::fromLatin1(bytes).contains(host))
        return bytes;
    QByteArray out = bytes;
    for (qsizetype at = out.indexOf(" HTTP/1.1\r\n"); at >= 0; at = out.indexOf(" HTTP/1.1\r\n", at + 11))
        out.insert(at + 11, "Host: added\r\n");
    return out;
}

// Where this server is stricter than gunicorn's tolerant settings, on purpose.
const QStringList &deliberatelyStrict()
{
    static const QStringList reasons{
        QStringLiteral("The request head is larger than this server takes."),
        QStringLiteral("This server does not implement the method."),
        QStringLiteral("The request line is not: method, target, version."),
        QStringLiteral("The request line has characters that do not belong there."),
        QStringLiteral("The target's host is not one."),
        QStringLiteral("The Host is not one."),
        QStringLiteral("A header line is not: name, colon, value."),
        QStringLiteral("A header name imitates another with an underscore."),
        QStringLiteral("The Transfer-Encoding is not sound."),
        QStringLiteral("Transfer-Encoding and Content-Length exclude each other."),
        QStringLiteral("The only Transfer-Encoding this server takes is chunked."),
        QStringLiteral("A trailer is not allowed or not sound."),
    };
    return reasons;
}

void addFiles(const char *folder)
{
    QTest::addColumn<QString>("path");
    const QDir dir(published().filePath(QString::fromLatin1(folder)));
    for (const auto &file : dir.entryInfoList({QStringLiteral("*.http")}))
        QTest::newRow(qPrintable(file.fileName())) << file.filePath();
    if (dir.isEmpty())
        QTest::newRow("absent") << QString();
}

bool accepts(const QString &expected, const QString &exact, bool allowClose, int status, bool closed)
{
    if (exact.startsWith(u"Exact("))
        return exact == QStringLiteral("Exact(%1)").arg(status) || (allowClose && status == 0 && closed);
    if (exact == u"Range2xx")
        return status / 100 == 2;
    if (expected.contains(u"!101") || expected.startsWith(u"non-101"))
        return status != 101 && status != 0;
    if (expected.startsWith(u"Reject/drop"))
        return status == 400;
    if (status == 0 || status == 408 || status == 413) // these end the connection
        return expected.contains(u"close") || expected.contains(u"timeout");
    return expected.contains(QString::number(status)) || (status / 100 == 2 && expected.contains(u"2xx"))
        || (status / 100 == 2 && expected.startsWith(u"IMF"));
}

} // namespace

class tst_PublishedCases : public QObject
{
    Q_OBJECT
    Router m_router;
    std::unique_ptr<Server> m_server;
    std::unique_ptr<Server> m_patient; // whose deadlines no test waits for
    quint16 m_port = 0;
    quint16 m_patientPort = 0;
    QMap<QString, std::pair<int, int>> m_score; // of a level: cases, passed
    int m_cuts = 0;

private Q_SLOTS:
    void init()
    {
        if (!published().exists())
            QSKIP("the published cases (../shared/data/http) are not on this machine");
    }

    void initTestCase()
    {
        const auto echo = [](Exchange e) {
            e.send(Reply::text(e.request().body.isEmpty() ? QByteArray("ok") : e.request().body, "text/plain"));
        };
        const auto cookies = [](Exchange e) {
            e.send(Reply::text(e.request().headers.values("Cookie").join("; "), "text/plain"));
        };
        m_router.add(Method::Get, QStringLiteral("/"), echo);
        m_router.add(Method::Post, QStringLiteral("/"), echo);
        m_router.add(Method::Post, QStringLiteral("/echo"), echo);
        m_router.add(Method::Get, QStringLiteral("/echo"), cookies);
        m_router.add(Method::Get, QStringLiteral("/cookie"), cookies);
        Limits limits;
        limits.headDeadline_ms = limits.bodyDeadline_ms = limits.idleDeadline_ms = 150;
        limits.lingerDeadline_ms = 80;
        m_server = std::make_unique<Server>(m_router, limits);
        m_port = *m_server->listen(QHostAddress::LocalHost, 0);
        m_patient = std::make_unique<Server>(m_router);
        m_patientPort = *m_patient->listen(QHostAddress::LocalHost, 0);
    }

    void http11probe_is_content_data()
    {
        QTest::addColumn<QJsonObject>("one");
        const auto path = published().filePath(QStringLiteral("http11probe.json"));
        if (!QFileInfo::exists(path)) {
            QTest::newRow("absent") << QJsonObject();
            return;
        }
        const auto cases = QJsonDocument::fromJson(fileBytes(path)).array();
        for (const auto &value : cases) {
            const auto one = value.toObject();
            if (one.value(u"steps_latin1").isArray() && one.value(u"scored").toBool())
                QTest::newRow(qPrintable(one.value(u"id").toString())) << one;
        }
    }
    void http11probe_is_content()
    {
        QFETCH(const QJsonObject, one);
        auto &[cases, passed] = m_score[one.value(u"rfc_level").toString()];
        ++cases;
        RawClient client(m_port);
        test::Answered first;
        bool isFirst = true;
        const auto steps = one.value(u"steps_latin1").toArray();
        for (const auto &step : steps) {
            const auto bytes = step.toString().toLatin1();
            client.say(bytes);
            const auto answer = client.next(400, bytes.startsWith("HEAD"));
            if (std::exchange(isFirst, false))
                first = answer;
            else if (first.status >= 400)
                QCOMPARE(answer.status, 0); // nothing behind a refusal is answered
        }
        const auto expected = one.value(u"expected").toString();
        const bool closed = client.isClosed() || first.headers.value("Connection") == "close";
        QVERIFY2(accepts(expected, one.value(u"expected_status").toString(), one.value(u"allow_close").toBool(),
                         first.status, closed),
                 qPrintable(QStringLiteral("%1 where %2 was expected").arg(first.status).arg(expected)));
        if (expected.contains(u"+ echo"))
            QVERIFY(steps.at(0).toString().contains(QString::fromLatin1(first.body.left(5))));
        if (expected.contains(u"+ close"))
            QVERIFY(closed);
        if (first.status == 405)
            QVERIFY(first.headers.contains("Allow"));
        if (first.status != 0)
            QVERIFY(first.headers.contains("Date") && first.headers.contains("X-Request-Id"));
        ++passed;
    }

    void http11probe_score()
    {
        if (m_score.isEmpty())
            QSKIP("http11probe.json is not on this machine");
        for (const auto &[level, score] : m_score.asKeyValueRange())
            qInfo("http11probe %-14s %3d of %3d (%.1f %%)", qPrintable(level), score.second, score.first,
                  100.0 * score.second / score.first);
        const auto must = m_score.value(QStringLiteral("Must")), should = m_score.value(QStringLiteral("Should"));
        QVERIFY(must.first >= 60 && should.first >= 10); // else the list has changed its shape
        QCOMPARE(must.second, must.first);
        QVERIFY(should.second * 100 >= should.first * 95);
    }

    void every_published_request_is_answered_the_same_wherever_it_is_cut_data()
    {
        QTest::addColumn<QList<QByteArray>>("steps");
        const auto cases = QFileInfo::exists(published().filePath(QStringLiteral("http11probe.json")))
            ? QJsonDocument::fromJson(fileBytes(published().filePath(QStringLiteral("http11probe.json")))).array()
            : QJsonArray();
        for (const auto &value : cases) {
            QList<QByteArray> steps;
            for (const auto &step : value.toObject().value(u"steps_latin1").toArray())
                steps.append(step.toString().toLatin1());
            if (!steps.isEmpty())
                QTest::newRow(qPrintable(value.toObject().value(u"id").toString())) << steps;
        }
        for (const char *folder : {"valid", "invalid"})
            for (const auto &file :
                 QDir(published().filePath(QString::fromLatin1(folder))).entryInfoList({QStringLiteral("*.http")})) {
                const auto bytes = decoded(fileBytes(file.filePath()));
                QTest::newRow(qPrintable(QString::fromLatin1(folder) + u'/' + file.fileName()))
                    << QList<QByteArray>{withHost(bytes)};
            }
        if (cases.isEmpty())
            QTest::newRow("absent") << QList<QByteArray>();
    }
    void every_published_request_is_answered_the_same_wherever_it_is_cut()
    {
        QFETCH(const QList<QByteArray>, steps);
        const auto whole = test::conversation(m_patientPort, steps);
        for (const auto &step : steps)
            if (step.size() > 2'500) // its middle is one letter again and again; tst_OnTheWire cuts such ones
                QSKIP("long");
        const auto different = test::differenceWhenCut(m_patientPort, steps, whole, &m_cuts);
        QVERIFY2(different.isEmpty(), qPrintable(different));
    }
    void cuts_made() { qInfo("%d conversations cut in two over sockets", m_cuts); }

    void what_gunicorn_takes_is_taken_or_refused_for_a_known_reason_data() { addFiles("valid"); }
    void what_gunicorn_takes_is_taken_or_refused_for_a_known_reason()
    {
        QFETCH(const QString, path);
        const auto bytes = withHost(decoded(fileBytes(path)));
        const auto story = storyOf({bytes});
        const auto told = test::conversation(m_patientPort, {bytes}).first();
        const int last = told.statuses().isEmpty() ? 0 : told.statuses().last();
        if (story.refused != 0)
            QVERIFY(told.closed
                    && (last == story.refused || !story.requests.isEmpty())); // the first may have said close
        else
            QVERIFY2(last == 0 || last == 200 || last == 404 || last == 405, QByteArray::number(last).constData());
        QVERIFY2(story.refused == 0 || deliberatelyStrict().contains(story.why), qPrintable(story.why));
        QVERIFY(story.refused != 0 || !story.requests.isEmpty() || story.bodyMissing);
    }

    void what_gunicorn_refuses_is_never_a_request_data() { addFiles("invalid"); }
    void what_gunicorn_refuses_is_never_a_request()
    {
        QFETCH(const QString, path);
        const auto bytes = decoded(fileBytes(path));
        if (bytes.size() > 3'000)
            QSKIP("refused there for a limit that is larger here");
        const auto told = test::conversation(m_patientPort, {bytes}).first();
        for (const int status : told.statuses()) // over the socket, too, nothing of it is acted upon
            QVERIFY2(status >= 400, QByteArray::number(status).constData());
        const auto story = storyOf({bytes});
        QVERIFY2(story.requests.isEmpty(), story.requests.value(0).constData());
    }

    void cutting_changes_nothing_data()
    {
        QTest::addColumn<QString>("path");
        for (const char *folder : {"valid", "invalid"}) {
            const QDir dir(published().filePath(QString::fromLatin1(folder)));
            for (const auto &file : dir.entryInfoList({QStringLiteral("*.http")}))
                QTest::newRow(qPrintable(QString::fromLatin1(folder) + u'/' + file.fileName())) << file.filePath();
        }
        if (!published().exists())
            QTest::newRow("absent") << QString();
    }
    void cutting_changes_nothing()
    {
        QFETCH(const QString, path);
        const auto bytes = withHost(decoded(fileBytes(path)));
        const auto whole = storyOf({bytes});
        const auto step = std::max<qsizetype>(1, bytes.size() / 500);
        for (qsizetype cut = 1; cut < bytes.size(); cut += step)
            QVERIFY2(storyOf({bytes.first(cut), bytes.sliced(cut)}) == whole, QByteArray::number(cut).constData());
    }
};

QTEST_GUILESS_MAIN(tst_PublishedCases)
#include "tst_PublishedCases.moc"
