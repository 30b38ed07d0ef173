// Another embedder: memories get new vectors in the background, and the search goes on with the old ones until then.

#include "StoreWorld.h"

using namespace companion;
using namespace companion::memory;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class ReembeddingTest : public QObject, private StoreWorld
{
    Q_OBJECT

    static WireEmbedderOptions options(const FakeEmbeddings &fake, const QString &model)
    {
        return {.baseUrl = fake.url(), .model = model, .attempts = 1, .total = 2s, .backoff = 5ms};
    }

private Q_SLOTS:
    void cleanup()
    {
        m_keeper.reset();
        m_gatherer.reset();
    }

    void the_search_changes_over_when_the_last_vector_is_there()
    {
        FakeEmbeddings fake(64);
        WireEmbedder remote(options(fake, u"new"_s));
        makeWorld(nullptr);
        const QString old = m_features->spaces.target().name();
        for (int i = 0; i < 40; ++i)
            say(u"My parrot number %1 is called Ferdinand%1"_s.arg(i));
        QVERIFY(waitUntilKept());
        fake.down = true; // the move begins, and goes no further
        use(nullptr, &remote);
        QTRY_VERIFY_WITH_TIMEOUT(m_keeper->failures() > 0, 10'000);
        QCOMPARE(text(u"SELECT space AS text FROM memory_owners"_s), old);
        QVERIFY(!m_features->memory->spaceToGather(m_db->app(), m_user)); // nothing to wait for: the old are in process
        const auto before = gatherAndRecall(u"What is parrot number 7 called?"_s);
        QVERIFY(!before.degraded);
        QVERIFY(before.block.contains(u"Ferdinand7"_s));
        say(u"My parrot number 40 is called Ferdinand40"_s); // what comes meanwhile is found too
        QTRY_COMPARE_WITH_TIMEOUT(count(u"memories"_s), 82, 10'000);
        QVERIFY(gatherAndRecall(u"What is parrot number 40 called?"_s).block.contains(u"Ferdinand40"_s));
        fake.down = false;
        m_db->clock().advance(1h);
        QTRY_COMPARE_WITH_TIMEOUT(text(u"SELECT space AS text FROM memory_owners"_s), u"postgres/compatible/new"_s,
                                  15'000);
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memory_vectors WHERE space <> 'postgres/compatible/new'"_s), 0);
        QCOMPARE(count(u"memory_vectors WHERE dimension = 64"_s), 82);
        const auto after = gatherAndRecall(u"What is parrot number 7 called?"_s);
        QVERIFY(!after.degraded);
        QVERIFY(m_gathered && m_gathered->vector.size() == 64);
        QVERIFY(after.block.contains(u"Ferdinand7"_s));
    }

    void from_one_remote_model_to_another_the_old_one_is_still_asked()
    {
        FakeEmbeddings fake(64);
        WireEmbedder first(options(fake, u"first"_s));
        WireEmbedder second(options(fake, u"second"_s));
        makeWorld(nullptr, &first);
        say(u"My parrot is called Ferdinand"_s);
        QVERIFY(waitUntilKept());
        m_features->spaces.know(&first);
        m_keeper->stop();
        QTRY_VERIFY(m_keeper->isIdle());
        m_features->spaces.use(&second, nullptr);
        fake.wire.forget();
        QVERIFY(!gatherAndRecall(u"parrot"_s).degraded);
        QVERIFY(fake.wire.requests().last().body.contains("\"first\""));
        use(nullptr, &second);
        QTRY_COMPARE_WITH_TIMEOUT(text(u"SELECT space AS text FROM memory_owners"_s), u"postgres/compatible/second"_s,
                                  15'000);
        QVERIFY(!gatherAndRecall(u"parrot"_s).degraded);
        QVERIFY(fake.wire.requests().last().body.contains("\"second\""));
    }

    void an_embedder_that_is_down_postpones_and_loses_nothing()
    {
        FakeEmbeddings fake(64);
        WireEmbedder remote(options(fake, u"new"_s));
        fake.down = true;
        makeWorld(nullptr, &remote);
        say(u"My parrot is called Ferdinand"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_keeper->failures() > 0, 15'000);
        QCOMPARE(count(u"memories"_s), 2);
        QVERIFY(gatherAndRecall(u"parrot"_s).block.contains(u"Ferdinand"_s)); // by its words
        fake.down = false;
        m_db->clock().advance(1h);
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memory_vectors"_s), 2);
        QVERIFY(!gatherAndRecall(u"parrot"_s).degraded);
        fake.down = true;
        QVERIFY(gatherAndRecall(u"parrot"_s).degraded);
    }

    void what_never_succeeds_is_given_up_and_said()
    {
        FakeEmbeddings fake(64);
        fake.down = true;
        WireEmbedder remote(options(fake, u"new"_s));
        makeWorld(nullptr, &remote);
        say(u"My parrot is called Ferdinand"_s);
        for (int i = 0; i < 400 && count(u"memory_queue WHERE dead_at IS NOT NULL"_s) == 0; ++i) {
            m_db->clock().advance(1h);
            QTest::qWait(30);
        }
        QCOMPARE(count(u"memory_queue WHERE dead_at IS NOT NULL AND attempts = 12 AND last_error <> ''"_s), 1);
        QCOMPARE(queued(), 0);
    }
};

QTEST_GUILESS_MAIN(ReembeddingTest)
#include "tst_Reembedding.moc"
