#include "llm/wire/ChatChunk.h"
#include "llm/wire/WireFailure.h"
#include "llm/wire/WireHealth.h"

#include <QTest>

using namespace companion;
using namespace companion::llm;

class ChatChunkTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void puts_split_characters_together_and_replaces_lost_halves()
    {
        WholeCharacters characters;
        QCOMPARE(characters.feed(QStringLiteral("a") + QChar(0xd83d)), QStringLiteral("a"));
        QCOMPARE(characters.feed(QString(QChar(0xde00)) + u'b'), QStringLiteral("😀b"));
        QCOMPARE(characters.feed(QString(QChar(0xde00))), QString(QChar(0xfffd)));
        QCOMPARE(characters.feed(QString(QChar(0xd83d))), QString());
        QCOMPARE(characters.feed(QStringLiteral("x")), QString(QChar(0xfffd)) + u'x');
        QCOMPARE(characters.feed(QString(QChar(0xd83d))), QString());
        QCOMPARE(characters.end(), QString(QChar(0xfffd)));
        QCOMPARE(characters.end(), QString());
        QCOMPARE(characters.feed(QStringLiteral("a") + QChar(0) + u'b'), QStringLiteral("ab"));
    }

    void reads_what_a_provider_says()
    {
        const auto chunk = readChunk(
            R"({"model":"m","choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"},"finish_reason":"length"}]})");
        QCOMPARE(chunk->text, QStringLiteral("yes"));
        QCOMPARE(chunk->finishReason, QStringLiteral("length"));
        QCOMPARE(chunk->model, QStringLiteral("m"));
        QVERIFY(!chunk->usage);
        QCOMPARE(readChunk(R"({"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]})")->text,
                 QStringLiteral("whole"));
        QCOMPARE(readChunk(R"({"choices":[],"usage":{"cost_in_usd_ticks":37756000}})")->usage->cost->toString(),
                 QStringLiteral("0.0037756000"));
        QCOMPARE(readChunk(R"({"error":"busy","code":"overloaded"})")->error->code, QStringLiteral("overloaded"));
        QCOMPARE(readChunk(R"({"error":{"message":"m","code":429}})")->error->status, 429);
        for (const char *garbage : {"", "[]", "null", "{", "{}", "{\"hello\":1}", "\xff", "data"})
            QVERIFY2(!readChunk(garbage), garbage);
    }

    void believes_usage_only_where_it_can_be_true_data()
    {
        QTest::addColumn<QByteArray>("usage");
        QTest::addColumn<QList<int>>("counted");
        QTest::addColumn<bool>("estimated");
        const auto row = [](const char *usage, const QList<int> &counted, bool estimated) {
            QTest::newRow(usage) << QByteArray(usage) << counted << estimated;
        };
        const QList<int> guess{50, 20, 70};
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":50})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":40,"completion_tokens":10})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":283})", {40, 10, 283}, false); // thinking
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":-5})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":0})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":9000000000000})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":1e300})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":40,"completion_tokens":10,"total_tokens":"50"})", {40, 10, 50}, false);
        row(R"({"prompt_tokens":-1,"completion_tokens":10,"total_tokens":50})", guess, true);
        row(R"({"prompt_tokens":40,"completion_tokens":-10,"total_tokens":50})", guess, true);
        row(R"({"prompt_tokens":4000000000,"completion_tokens":10,"total_tokens":50})", guess, true);
        row(R"({"prompt_tokens":40.5,"completion_tokens":10})", guess, true);
        row(R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})", guess, true);
        row(R"({"total_tokens":50})", guess, true);
        row(R"({"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807})", guess, true);
        row("null", guess, true);
    }
    void believes_usage_only_where_it_can_be_true()
    {
        QFETCH(QByteArray, usage);
        QFETCH(QList<int>, counted);
        const auto chunk = readChunk("{\"choices\":[],\"usage\":" + usage + "}");
        const auto sound = soundUsage(chunk->usage, 50, 20, 512);
        QCOMPARE(sound.usage, (Usage{counted[0], counted[1], counted[2]}));
        QTEST(sound.estimated, "estimated");
    }

    void reads_retry_after_in_all_its_spellings()
    {
        using namespace std::chrono_literals;
        const QDateTime now(QDate(2026, 11, 22), QTime(18, 0), Qt::UTC);
        QCOMPARE(retryAfterOf("2", "", now), 2000ms);
        QCOMPARE(retryAfterOf("0.5", "", now), 500ms);
        QCOMPARE(retryAfterOf("2", "150", now), 150ms);
        QCOMPARE(retryAfterOf("Sun, 22 Nov 2026 18:00:05 GMT", "", now), 5000ms);
        for (const char *bad : {"", "soon", "-1", "Sun, 22 Nov 2026 17:00:00 GMT", "1e99", "nan"})
            QVERIFY2(!retryAfterOf(bad, "", now), bad);
    }

    void keeps_the_key_and_peoples_words_out_of_the_log()
    {
        const ToldError error{.code = QStringLiteral("invalid_api_key sk-secret"),
                              .message = QStringLiteral("bad key sk-secret!")};
        const auto refused = failureOfStatus(401, error, "sk-secret");
        QVERIFY(!refused.log.contains(QStringLiteral("secret")));
        QVERIFY(refused.log.contains(QStringLiteral("bad key ***")));
        QVERIFY(!failureOfStatus(400, ToldError{.message = QStringLiteral("you said: hello")}, {})
                     .log.contains(QStringLiteral("hello")));
    }

    void health_follows_the_last_outcomes()
    {
        WireHealth health(QStringLiteral("m at h"), 2, 4);
        const auto state = [&] { return health.state().first; };
        QCOMPARE(state(), QStringLiteral("ok"));
        health.failed(QStringLiteral("HTTP 500"));
        QCOMPARE(state(), QStringLiteral("ok"));
        health.failed(QStringLiteral("HTTP 500"));
        QCOMPARE(state(), QStringLiteral("degraded"));
        health.failed(QStringLiteral("HTTP 500"));
        health.failed(QStringLiteral("HTTP 502"));
        QCOMPARE(state(), QStringLiteral("down"));
        QVERIFY(health.state().second.contains(QStringLiteral("4 failures in a row, the last: HTTP 502")));
        health.succeededWithFallback(QStringLiteral("other"));
        QCOMPARE(state(), QStringLiteral("degraded"));
        health.succeeded();
        QCOMPARE(state(), QStringLiteral("ok"));
    }
};

QTEST_APPLESS_MAIN(ChatChunkTest)
#include "tst_ChatChunk.moc"
