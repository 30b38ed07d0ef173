#include "fakes/FakeLlm.h"
#include "moderation/RemoteModeration.h"

#include <QElapsedTimer>
#include <QTcpServer>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::moderation;
using namespace std::chrono_literals;

// The remote stage against a server that speaks OpenAI's wire.
class TestRemoteModeration : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeLlm> m_fake;

    RemoteOptions options() const { return {.baseUrl = m_fake->baseUrl(), .apiKey = "sk-test", .timeout = 300ms}; }
    RemoteAnswer asked(RemoteModeration &remote, const QString &text)
    {
        std::optional<RemoteAnswer> answer;
        remote.ask(this, text, [&](RemoteAnswer given) { answer = std::move(given); });
        [&] { QTRY_VERIFY_WITH_TIMEOUT(answer.has_value(), 3000); }();
        return answer.value_or(RemoteAnswer{.mustWait = true});
    }

private Q_SLOTS:
    void init()
    {
        m_fake = std::make_unique<FakeLlm>();
        QVERIFY(m_fake->listen());
    }

    void what_is_clean_has_no_verdict()
    {
        RemoteModeration remote(options());
        const auto answer = asked(remote, u"Good evening"_s);
        QVERIFY(!answer.verdict && !answer.mustWait);
        QCOMPARE(m_fake->moderations().size(), 1);
        QCOMPARE(m_fake->moderations()[0].headers["authorization"], "Bearer sk-test");
        QCOMPARE(m_fake->moderations()[0].json()[u"input"].toString(), u"Good evening"_s);
        QCOMPARE(m_fake->moderations()[0].json()[u"model"].toString(), u"omni-moderation-latest"_s);
        QCOMPARE(remote.health().first, u"ok"_s);
    }

    void a_category_becomes_our_verdict_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("category"); // empty: let through
        QTest::addColumn<bool>("crisis");
        QTest::newRow("minors") << u"[[flag: sexual/minors 0.4]]"_s << u"sexual_minors"_s << false;
        QTest::newRow("minors before self-harm")
            << u"[[flag: self-harm/intent 0.9]] [[flag: sexual/minors 0.4]]"_s << u"sexual_minors"_s << false;
        QTest::newRow("self-harm") << u"[[flag: self-harm/intent 0.9]]"_s << u"self_harm"_s << true;
        QTest::newRow("threat") << u"[[flag: hate/threatening 0.9]]"_s << u"violence"_s << false;
        QTest::newRow("illicit") << u"[[flag: illicit 0.9]]"_s << u"illegal"_s << false;
        QTest::newRow("adults may") << u"[[flag: sexual 0.99]]"_s << QString() << false;
        QTest::newRow("stories may") << u"[[flag: violence 0.99]]"_s << QString() << false;
    }
    void a_category_becomes_our_verdict()
    {
        QFETCH(QString, text);
        QFETCH(bool, crisis);
        RemoteModeration remote(options());
        const auto answer = asked(remote, text);
        QTEST(answer.verdict ? answer.verdict->category : QString(), "category");
        if (!answer.verdict)
            return;
        QCOMPARE(answer.verdict->isCrisis(), crisis);
        QCOMPARE(answer.verdict->stage, Stage::Remote);
        QVERIFY(answer.verdict->score.has_value());
        QCOMPARE(answer.verdict->length, text.size());
    }

    void a_threshold_of_ours_takes_the_place_of_their_flag()
    {
        RemoteOptions strict = options();
        strict.thresholds.insert(u"illicit"_s, 0.95F);
        RemoteModeration remote(strict);
        QVERIFY(!asked(remote, u"[[flag: illicit 0.9]]"_s).verdict);
        QVERIFY(asked(remote, u"[[flag: illicit 0.96]]"_s).verdict);
    }

    void a_service_that_does_not_answer_costs_its_timeout_and_no_more_data()
    {
        QTest::addColumn<QString>("script");
        QTest::newRow("an error") << u"status=500"_s;
        QTest::newRow("a limit") << u"status=429"_s;
        QTest::newRow("a refused key") << u"status=401"_s;
        QTest::newRow("silence") << u"stall=head"_s;
        QTest::newRow("too slow") << u"delay=2000"_s;
        QTest::newRow("hung up") << u"drop"_s;
        QTest::newRow("garbage") << u"garbage"_s;
    }
    void a_service_that_does_not_answer_costs_its_timeout_and_no_more()
    {
        QFETCH(QString, script);
        m_fake->always(script);
        RemoteModeration open(options());
        QElapsedTimer timer;
        timer.start();
        const auto answer = asked(open, u"[[flag: illicit 0.9]]"_s);
        QVERIFY2(timer.elapsed() < 1500, qPrintable(QString::number(timer.elapsed())));
        QVERIFY(!answer.verdict && !answer.mustWait);
        QCOMPARE(open.health().first, u"degraded"_s);
        RemoteOptions careful = options();
        careful.failClosed = {u"sexual/minors"_s};
        RemoteModeration closed(careful);
        QVERIFY(asked(closed, u"anything"_s).mustWait);
    }

    void after_some_failures_it_is_left_alone_for_a_while()
    {
        RemoteOptions impatient = options();
        impatient.brokenAfter = 3;
        RemoteModeration remote(impatient);
        m_fake->always(u"status=500"_s);
        for (int i = 0; i < 5; ++i)
            (void)asked(remote, u"x"_s);
        QCOMPARE(remote.asked(), 3);
        QCOMPARE(remote.health().first, u"down"_s);
    }

    void nobody_is_called_who_has_gone()
    {
        RemoteModeration remote(options());
        auto asker = std::make_unique<QObject>();
        bool called = false;
        remote.ask(asker.get(), u"x"_s, [&](const RemoteAnswer &) { called = true; });
        asker.reset();
        QTRY_COMPARE(m_fake->moderations().size(), 1);
        QTest::qWait(100);
        QVERIFY(!called);
    }
};

QTEST_GUILESS_MAIN(TestRemoteModeration)
#include "tst_RemoteModeration.moc"
