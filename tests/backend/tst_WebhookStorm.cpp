// The same events, each delivered one to four times in random order by eight senders, over HTTP to a real backend that
// is killed (SIGKILL, its private database with it) meanwhile: the books end as after one delivery in order.
//
//   STORM_EVENTS=2000 events (60 by default), STORM_KILLS=10 (1), STORM_SEED=n the same random choices again

#include "backend/MoneyStory.h"
#include "backend/ServedBackend.h"
#include "payments/sandbox/SandboxProvider.h"

#include <QElapsedTimer>
#include <QJsonDocument>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QTest>
#include <QTimer>
#include <random>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {

int setting(const char *name, int otherwise)
{
    return qEnvironmentVariableIsSet(name) ? qEnvironmentVariableIntValue(name) : otherwise;
}

// A provider's senders: each delivers one webhook after the other, and the same again until it is answered 200.
class Senders : public QObject
{
public:
    Senders(const ServedBackend &backend, const QByteArray &secret, int count)
        : m_backend(backend)
        , m_secret(secret)
    {
        for (int i = 0; i < count; ++i)
            m_networks.emplace_back(std::make_unique<QNetworkAccessManager>());
    }
    void deliver(const QList<QByteArray> &webhooks)
    {
        m_queue = webhooks;
        m_next = 0;
        m_answered = 0;
        for (const auto &network : m_networks)
            next(*network);
    }
    qsizetype answered() const { return m_answered; }
    bool isDone() const { return m_answered == m_queue.size(); }
    const QMap<QString, int> &answers() const { return m_answers; }
    const QStringList &breaches() const { return m_breaches; }

private:
    void next(QNetworkAccessManager &network)
    {
        if (m_next < m_queue.size())
            send(network, m_queue.at(m_next++));
    }
    void send(QNetworkAccessManager &network, const QByteArray &webhook)
    {
        QNetworkRequest request(QUrl(u"http://127.0.0.1:%1/api/v1/webhooks/sandbox"_s.arg(m_backend.port())));
        request.setHeader(QNetworkRequest::ContentTypeHeader, u"application/json"_s);
        request.setRawHeader("Sandbox-Signature",
                             payments::sandboxSignature(m_secret, webhook, QDateTime::currentSecsSinceEpoch()));
        request.setRawHeader("Connection", "close"); // else the backend waits for it when it is told to stop
        request.setTransferTimeout(10'000);
        QNetworkReply *reply = network.post(request, webhook);
        connect(reply, &QNetworkReply::finished, this, [=, this, &network] {
            reply->deleteLater();
            const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
            if (status == 200) {
                ++m_answered;
                ++m_answers[QJsonDocument::fromJson(reply->readAll())[u"status"_s].toString()];
                return next(network);
            }
            ++m_answers[QString::number(status)];
            if (status != 0 && status != 503)
                m_breaches << u"answered %1: %2"_s.arg(status).arg(QString::fromUtf8(reply->readAll()));
            QTimer::singleShot(30, this, [=, this, &network] { send(network, webhook); });
        });
    }

    const ServedBackend &m_backend;
    const QByteArray m_secret;
    std::vector<std::unique_ptr<QNetworkAccessManager>> m_networks;
    QList<QByteArray> m_queue;
    qsizetype m_next = 0;
    qsizetype m_answered = 0;
    QMap<QString, int> m_answers;
    QStringList m_breaches;
};

} // namespace

class WebhookStormTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void any_order_repetition_and_kills_end_as_one_delivery_in_order()
    {
        const MoneyStory story(setting("STORM_EVENTS", 60), QDateTime::currentDateTimeUtc());
        const QStringList inOrder = toldInOrder(story);
        QVERIFY(inOrder.size() > story.events().size());

        ServedBackend backend;
        QVERIFY(backend.start());
        begin(backend, story);
        const quint32 seed = static_cast<quint32>(setting("STORM_SEED", static_cast<int>(std::random_device{}() / 4)));
        std::mt19937 random(seed);
        QList<QByteArray> deliveries;
        for (const QByteArray &event : story.events())
            for (unsigned copies = 1 + random() % 4; copies > 0; --copies)
                deliveries.append(event);
        std::ranges::shuffle(deliveries, random);

        storm(backend, story, deliveries, random, seed);
        if (QTest::currentTestFailed())
            return;
        catchUp(backend);
        const QStringList ended = outcomeOf(backend);
        for (const QString &line : ended)
            if (!inOrder.contains(line))
                qWarning().noquote() << "STORM_SEED" << seed << "differs:" << line;
        QCOMPARE(ended, inOrder);
        verifyBooks(backend);
    }

private:
    // Leaves no connection open when it returns: the backend is to stop after it.
    static void storm(ServedBackend &backend, const MoneyStory &story, const QList<QByteArray> &deliveries,
                      std::mt19937 &random, quint32 seed)
    {
        Senders senders(backend, secretOf(backend), 8);
        QElapsedTimer clock;
        clock.start();
        senders.deliver(deliveries);
        const int kills = setting("STORM_KILLS", 1);
        for (int kill = 1; kill <= kills; ++kill) {
            // Somewhere in its share of the deliveries.
            const auto share = deliveries.size() / (kills + 1);
            const auto at = share * kill - static_cast<qsizetype>(random() % static_cast<unsigned>(share));
            QVERIFY2(QTest::qWaitFor([&] { return senders.answered() >= at || senders.isDone(); }, 600'000), "senders");
            backend.kill();
            QVERIFY2(backend.start(), qPrintable(u"STORM_SEED=%1"_s.arg(seed)));
            QCOMPARE(torn(backend), QStringList());
        }
        QVERIFY2(QTest::qWaitFor([&] { return senders.isDone(); }, 600'000), "senders");
        qInfo().noquote() << u"%1 events, %2 deliveries, %3 kills, %4 s, seed %5: %6"_s.arg(story.events().size())
                                 .arg(deliveries.size())
                                 .arg(kills)
                                 .arg(double(clock.elapsed()) / 1000, 0, 'f', 1)
                                 .arg(seed)
                                 .arg(words(senders.answers()));
        QCOMPARE(senders.breaches(), QStringList());
    }
    static QByteArray secretOf(const ServedBackend &backend)
    {
        const SystemClock clock;
        db::Session owner(backend.owner(), clock);
        return owner.script(u"SELECT secret FROM sandbox_settings"_s).first().bytes("secret");
    }
    static void begin(ServedBackend &backend, const MoneyStory &story)
    {
        const SystemClock clock;
        db::Session owner(backend.owner(), clock);
        story.settle(owner);
        Senders sender(backend, secretOf(backend), 1);
        sender.deliver(story.before());
        QVERIFY(QTest::qWaitFor([&] { return sender.isDone(); }, 60'000));
        story.spend(owner);
    }
    static QStringList toldInOrder(const MoneyStory &story)
    {
        ServedBackend backend;
        [&] {
            QVERIFY(backend.start());
            begin(backend, story);
            Senders sender(backend, secretOf(backend), 1);
            sender.deliver(story.events());
            QVERIFY(QTest::qWaitFor([&] { return sender.isDone(); }, 600'000));
            QCOMPARE(sender.breaches(), QStringList());
            QCOMPARE(sender.answers().keys(), QStringList{u"applied"_s});
        }();
        const QStringList outcome = outcomeOf(backend);
        backend.stop();
        return outcome;
    }
    static QStringList outcomeOf(const ServedBackend &backend)
    {
        const SystemClock clock;
        db::Session owner(backend.owner(), clock);
        return MoneyStory::outcome(owner);
    }
    // What a transaction that was cut may never leave behind.
    static QStringList torn(const ServedBackend &backend)
    {
        const SystemClock clock;
        db::Session owner(backend.owner(), clock);
        QStringList found;
        for (const auto &row : owner.script(
                 u"SELECT 'paid without its credits: ' || id AS line FROM payment_transactions"
                 "  WHERE kind = 'credits' AND paid_at IS NOT NULL AND purchase_entry IS NULL"
                 " UNION ALL SELECT 'credits without their payment: ' || t.id FROM transaction_history t"
                 "  WHERE t.kind = 'purchase' AND NOT EXISTS (SELECT FROM payment_transactions p WHERE "
                 "p.purchase_entry = t.id)"
                 " UNION ALL SELECT 'paid and not booked: ' || id FROM payment_transactions p WHERE paid_at IS NOT NULL"
                 "  AND NOT EXISTS (SELECT FROM money_entries m WHERE m.payment_id = p.id)"
                 " UNION ALL SELECT 'half kept: ' || event_id FROM payment_events WHERE status = 'received'"_s))
            found << row.text("line");
        return found;
    }
    // An event that waited for one that was applied just before a kill is looked at a minute later: make it later.
    static void catchUp(const ServedBackend &backend)
    {
        const SystemClock clock;
        db::Session owner(backend.owner(), clock);
        const auto open = [&] {
            owner.script(
                u"UPDATE payment_events SET last_at = now() - interval '2 minutes', received_at = now() - interval"
                " '2 minutes' WHERE status IN ('received', 'waiting')"_s);
            return owner.script(u"SELECT count(*) AS n FROM payment_events WHERE status <> 'processed'"_s)
                .first()
                .integer("n");
        };
        const auto left = open();
        QElapsedTimer waited;
        for (waited.start(); open() > 0 && waited.elapsed() < 60'000;)
            QTest::qWait(500);
        if (left > 0)
            qInfo() << left << "events that were left behind were applied in" << waited.elapsed() << "ms";
    }
    static void verifyBooks(ServedBackend &backend)
    {
        QVERIFY(backend.stop());
        QByteArray said;
        QVERIFY2(backend.run({u"audit"_s}, &said) == 0, said);
        QCOMPARE(backend.bugs(), QStringList());
    }
    static QString words(const QMap<QString, int> &counts)
    {
        QStringList parts;
        for (auto it = counts.begin(); it != counts.end(); ++it)
            parts << it.key() + u' ' + QString::number(it.value());
        return parts.join(u", "_s);
    }
};

QTEST_GUILESS_MAIN(WebhookStormTest)
#include "tst_WebhookStorm.moc"
