// Whoever comes at once, through however many backends: a wallet pays for what it has, and the books say so. The
// backends are real processes on one database, the model is a fake that answers only when every request is held or
// refused.

#include "backend/ServedBackend.h"
#include "billing/Price.h"
#include "fakes/FakeLlm.h"
#include "support/TestDatabase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSignalSpy>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;

namespace {

struct Answer
{
    int status = 0;
    QJsonObject json;
};

} // namespace

class SharedWalletTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(m_llm.listen()); }
    void cleanup()
    {
        for (const auto &backend : m_backends)
            QVERIFY(backend->stop());
        m_backends.clear();
        m_database.reset();
        m_llm.reset();
    }

    void ten_replies_worth_of_credit_are_ten_replies_data()
    {
        QTest::addColumn<int>("backends");
        QTest::newRow("one backend") << 1;
        QTest::newRow("two backends on one database") << 2;
    }
    void ten_replies_worth_of_credit_are_ten_replies()
    {
        QFETCH(int, backends);
        constexpr int sessions = 64;
        openHouse(backends);
        QStringList ids;
        for (int i = 0; i < sessions; ++i)
            ids.append(
                read(post(i, u"/api/v1/chat/sessions"_s, {{u"character"_s, u"aria"_s}})).json[u"id"_s].toString());
        const auto order = [&](int i) {
            return QJsonObject{{u"session_id"_s, ids[i]}, {u"message"_s, u"Hello Aria"_s}, {u"max_tokens"_s, 200}};
        };
        const auto quote = read(post(0, u"/api/v1/chat/quote"_s, order(0))).json;
        const Credits each = Credits::parse(quote[u"max_cost"_s].toString()).value();
        const Credits wallet = Credits::fromUnits(each.units() * 10);
        QVERIFY(each > Credits());
        command({u"user"_s, u"set"_s, u"ada@example.com"_s, u"--grant"_s, u"purchased:"_s + wallet.toString()});

        m_llm.always(u"barrier=1000 tokens=20"_s);
        QList<QNetworkReply *> replies;
        for (int i = 0; i < sessions; ++i)
            replies.append(post(i, u"/api/v1/chat/completions"_s, order(i)));
        const auto refused = [&] {
            return std::ranges::count_if(replies, [](const QNetworkReply *reply) { return reply->isFinished(); });
        };
        QTRY_COMPARE_WITH_TIMEOUT(refused() + m_llm.held(), sessions, 60'000);
        QCOMPARE(m_llm.held(), 10);
        QCOMPARE(balance()[u"held"_s].toString(), wallet.toString());
        QCOMPARE(balance()[u"available"_s].toString(), u"0.0000"_s);
        m_llm.release();

        QMap<int, int> statuses;
        Credits charged;
        for (QNetworkReply *reply : replies) {
            const Answer answer = read(reply);
            ++statuses[answer.status];
            if (answer.status == 402) {
                QCOMPARE(answer.json[u"code"_s].toString(), u"insufficient_credits"_s);
                continue;
            }
            const auto charge = Credits::parse(answer.json[u"companion"_s][u"charge"][u"amount"].toString()).value();
            const qint64 tokens = answer.json[u"usage"_s][u"total_tokens"].toInteger();
            QCOMPARE(charge, billing::priceOf(tokens, {.discount = Factor::parse(u"0.5").value()}));
            charged += charge;
        }
        QCOMPARE(statuses, (QMap<int, int>{{200, 10}, {402, 54}}));
        QCOMPARE(balance()[u"held"_s].toString(), u"0.0000"_s);
        QCOMPARE(balance()[u"total"_s].toString(), (wallet - charged).toString());
        QCOMPARE(read(get(u"/api/v1/wallet/transactions?kind=chat"_s)).json[u"total"_s].toInt(), 10);
        command({u"audit"_s});
        QCOMPARE(m_exitCode, 0);
    }

    // What stands in docs/ledger.md's table of rules is what an operator reads: who, what, which row.
    void the_audit_command_names_whose_row_was_edited()
    {
        openHouse(1);
        command({u"user"_s, u"set"_s, u"ada@example.com"_s, u"--grant"_s, u"purchased:5"_s});
        const auto row = m_database->owner().script(
            u"UPDATE transaction_history SET description = 'Given away' RETURNING id, user_id"_s);
        const auto said = QJsonDocument::fromJson(command({u"audit"_s, u"--json"_s})).object();
        QCOMPARE(m_exitCode, 1);
        const QJsonObject finding = said[u"findings"_s][0].toObject();
        QCOMPARE(said[u"findings"_s].toArray().size(), 1);
        QCOMPARE(finding[u"rule"_s].toString(), u"text_changed"_s);
        QCOMPARE(finding[u"user_id"_s].toString(), row.first().text("user_id"));
        QVERIFY(finding[u"detail"_s].toString().contains(row.first().text("id")));
        QVERIFY(command({u"audit"_s}).contains(row.first().text("id").toUtf8()));
    }

private:
    // A database, its backends and a vip who has nothing but what is granted.
    void openHouse(int backends)
    {
        m_database = std::make_unique<test::TestDatabase>();
        m_database->owner().script(u"UPDATE tiers SET daily_credits = 0, requests_per_minute = 1000"_s);
        const auto target = m_database->ownerTarget();
        for (int i = 0; i < backends; ++i) {
            m_backends.push_back(std::make_unique<test::ServedBackend>(QMap<QString, QString>{
                {u"DATABASE_URL"_s,
                 QString(u"postgres://"_s + target.user + u"@/"_s + target.database + u"?host="_s + target.host)},
                {u"COMPANION_DB_WORKERS"_s, u"6"_s},
                {u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
                {u"LLM_API_KEY"_s, u"fake"_s},
                {u"LLM_MODEL"_s, u"fake"_s}}));
            QVERIFY(m_backends.back()->start());
        }
        const auto made = command(
            {u"access-key"_s, u"create"_s, u"--user"_s, u"ada@example.com"_s, u"--tier"_s, u"vip"_s, u"--json"_s});
        const QString key = QJsonDocument::fromJson(made).object()[u"access_key"_s].toString();
        QVERIFY(!key.isEmpty());
        m_token.clear();
        m_token = read(post(0, u"/api/v1/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, key}}))
                      .json[u"access_token"_s]
                      .toString()
                      .toLatin1();
        QVERIFY(!m_token.isEmpty());
    }

    QByteArray command(const QStringList &args)
    {
        QByteArray said;
        m_exitCode = m_backends.front()->run(args, &said);
        return said;
    }

    QNetworkRequest request(int caller, const QString &path) const
    {
        const auto &backend = m_backends[static_cast<size_t>(caller) % m_backends.size()];
        QNetworkRequest wanted(QUrl(u"http://127.0.0.1:%1%2"_s.arg(backend->port()).arg(path)));
        wanted.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
        if (!m_token.isEmpty())
            wanted.setRawHeader("Authorization", "Bearer " + m_token);
        return wanted;
    }
    // A connection each: a manager keeps to six. Callers are dealt out to the backends in turn.
    QNetworkReply *post(int caller, const QString &path, const QJsonObject &body)
    {
        auto *manager = new QNetworkAccessManager(this);
        auto *reply = manager->post(request(caller, path), QJsonDocument(body).toJson(QJsonDocument::Compact));
        connect(reply, &QObject::destroyed, manager, &QObject::deleteLater);
        return reply;
    }
    QNetworkReply *get(const QString &path) { return m_reader.get(request(0, path)); }
    static Answer read(QNetworkReply *reply)
    {
        QSignalSpy finished(reply, &QNetworkReply::finished);
        if (!reply->isFinished())
            finished.wait(30'000);
        reply->deleteLater();
        return {reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                QJsonDocument::fromJson(reply->readAll()).object()};
    }
    QJsonObject balance() { return read(get(u"/api/v1/wallet/balance"_s)).json; }

    FakeLlm m_llm;
    std::unique_ptr<test::TestDatabase> m_database;
    std::vector<std::unique_ptr<test::ServedBackend>> m_backends;
    QNetworkAccessManager m_reader;
    QByteArray m_token;
    int m_exitCode = 0;
};

QTEST_GUILESS_MAIN(SharedWalletTest)
#include "tst_SharedWallet.moc"
