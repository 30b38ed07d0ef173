// Every store elsewhere under the same tests: Pinecone by its wire, ChromaDB where CHROMA_CLI says that there is one.

#include "StoreWorld.h"

using namespace companion;
using namespace companion::memory;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class VectorStoresTest : public QObject, private StoreWorld
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_chroma = std::make_unique<ChromaServer>();
        if (m_chroma->url().isEmpty())
            qInfo("CHROMA_CLI is not set: without the real ChromaDB");
    }
    void cleanupTestCase() { m_chroma.reset(); }
    void init()
    {
        const QString name = QString::fromLatin1(QTest::currentDataTag());
        m_pinecone = std::make_unique<FakePinecone>(WordVectorsLength);
        if (name == u"chroma"_s)
            m_made = std::make_unique<ChromaStore>(ChromaOptions{.url = m_chroma->url(), .total = 3s});
        else
            m_made = std::make_unique<PineconeStore>(
                PineconeOptions{.host = m_pinecone->url(), .apiKey = "pinecone-key", .total = 3s});
        makeWorld(m_made.get());
    }
    void cleanup()
    {
        m_keeper.reset();
        m_gatherer.reset();
        m_made.reset();
    }

    void what_was_said_is_found_by_its_meaning_data() { stores(); }
    void what_was_said_is_found_by_its_meaning()
    {
        say(u"My parrot Ferdinand escaped through the kitchen window"_s);
        say(u"The weather is lovely"_s);
        QVERIFY(waitUntilKept());
        QCOMPARE(listed(m_user).size(), 4);
        QCOMPARE(count(u"memory_vectors WHERE vector IS NULL"_s), 4);
        const auto recollection = gatherAndRecall(u"Which bird do I own?"_s);
        QVERIFY(!recollection.degraded);
        QVERIFY(m_gathered && m_gathered->nearest && !m_gathered->nearest->empty());
        QVERIFY(recollection.block.contains(u"Ferdinand"_s));
    }

    void nobody_is_told_what_another_said_data() { stores(); }
    void nobody_is_told_what_another_said()
    {
        QList<UserId> people;
        for (int i = 0; i < 100; ++i) {
            m_user = newUser(u"p%1@example.com"_s.arg(i));
            makePremium(m_user);
            m_session = openSession(m_user, u"aria"_s);
            say(u"My secret word is banana%1."_s.arg(i), u"Noted."_s);
            people.append(m_user);
        }
        QVERIFY(QTest::qWaitFor([this] { return queued() == 0; }, 60'000));
        QHash<UserId, QSet<QUuid>> theirs;
        for (const db::Row &row : m_db->owner().script(u"SELECT id, user_id FROM memories"_s))
            theirs[row.id<UserId>("user_id")].insert(row.id<MemoryId>("id").uuid());
        for (int i = 0; i < 100; ++i) {
            m_user = people[i];
            const auto ids = listed(m_user);
            QCOMPARE(ids.size(), 2);
            for (const MemoryId &id : ids)
                QVERIFY(theirs[m_user].contains(id.uuid()));
            const auto block = gatherAndRecall(u"What is my secret word, banana%1?"_s.arg((i + 1) % 100)).block;
            QVERIFY(m_gathered && m_gathered->nearest);
            for (const auto &[id, score] : *m_gathered->nearest)
                QVERIFY2(theirs[m_user].contains(id.uuid()), "another's memory was found");
            QVERIFY(block.contains(u"banana%1."_s.arg(i)));
            for (int j = 0; j < 100; ++j)
                QVERIFY(j == i || !block.contains(u"banana%1."_s.arg(j)));
        }
        // To remove another's id does nothing to it.
        std::optional<Result<bool>> done;
        m_store->remove(people[0], m_features->spaces.target().embedder, listed(people[1]), m_gatherer.get(),
                        [&done](const Result<bool> &told) { done = told; });
        QTRY_VERIFY(done.has_value());
        QCOMPARE(listed(people[1]).size(), 2);
        QCOMPARE(listed(people[0]).size(), 2);
        // Who has no memories has no place either, and is told nothing.
        QCOMPARE(listed(UserId::create()).size(), 0);
        QCOMPARE(sweep(), (SweepReport{100, 0, 0}));
    }

    void what_is_deleted_leaves_the_store_and_the_receipt_says_when_data() { stores(); }
    void what_is_deleted_leaves_the_store_and_the_receipt_says_when()
    {
        say(u"My parrot Ferdinand escaped"_s);
        say(u"My cat Minka sleeps"_s);
        QVERIFY(waitUntilKept());
        m_keeper->stop();
        QTRY_VERIFY(m_keeper->isIdle());
        const auto message =
            MessageId::parse(text(u"SELECT id::text AS text FROM chat_messages WHERE content LIKE '%Ferdinand%'"_s));
        db::Transaction transaction(m_db->app(), m_user);
        const auto receipt = **chat().removeMessage(m_db->app(), m_user, *message);
        transaction.commit();
        QVERIFY(!receipt.doneAt);
        QCOMPARE(receipt.waitingFor, QStringList{m_features->spaces.target().name()});
        QVERIFY(listed(m_user).contains(MemoryId(message->uuid())));
        QVERIFY(!gatherAndRecall(u"parrot Ferdinand"_s).block.contains(u"Ferdinand"_s)); // forgotten at once
        keep();
        QVERIFY(waitUntilKept());
        QVERIFY(!listed(m_user).contains(MemoryId(message->uuid())));
        QCOMPARE(listed(m_user).size(), 3);
        QVERIFY(m_features->memory->store().receipt(m_db->operators(), m_user, receipt.id)->doneAt);
        {
            db::Transaction all(m_db->app(), m_user);
            m_features->memory->eraseFor(m_db->app(), m_user);
            all.commit();
        }
        QVERIFY(waitUntilKept());
        QCOMPARE(listed(m_user).size(), 0);
        QCOMPARE(count(u"memory_receipts WHERE done_at IS NULL"_s), 0);
        QCOMPARE(sweep().orphans, 0);
    }

    void what_should_not_be_there_is_found_by_the_sweep_data() { stores(); }
    void what_should_not_be_there_is_found_by_the_sweep()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        QCOMPARE(sweep(), (SweepReport{1, 0, 0}));
        // As if the store had been restored from a backup.
        std::optional<Result<bool>> done;
        m_store->upsert(m_user, m_features->spaces.target().embedder,
                        {{MemoryId::create(), m_features->spaces.local().embed(u"a ghost"_s)}}, m_gatherer.get(),
                        [&done](const Result<bool> &told) { done = told; });
        QTRY_VERIFY(done.has_value());
        QCOMPARE(listed(m_user).size(), 3);
        QCOMPARE(sweep(), (SweepReport{1, 1, 0}));
        QVERIFY(waitUntilKept());
        QCOMPARE(listed(m_user).size(), 2);
        QCOMPARE(sweep(), (SweepReport{1, 0, 0}));
    }

    void a_store_that_is_down_is_done_without_and_caught_up_with_data() { stores(); }
    void a_store_that_is_down_is_done_without_and_caught_up_with()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        down(true);
        QElapsedTimer waited;
        waited.start();
        auto recollection = gatherAndRecall(u"parrot Ferdinand"_s);
        QVERIFY2(waited.elapsed() < 1'500, qPrintable(QString::number(waited.elapsed())));
        QVERIFY(recollection.degraded);
        QVERIFY(recollection.block.contains(u"Ferdinand"_s)); // by its words
        say(u"My cat Minka sleeps"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_keeper->failures() > 0, 15'000);
        QVERIFY(queued() > 0);
        for (int i = 0; i < 4; ++i) // it is left alone for a while
            gatherAndRecall(u"parrot"_s);
        waited.restart();
        gatherAndRecall(u"parrot"_s);
        QVERIFY2(waited.elapsed() < 150, qPrintable(QString::number(waited.elapsed())));
        down(false);
        m_db->clock().advance(1h);
        QVERIFY(waitUntilKept());
        QCOMPARE(listed(m_user).size(), 4);
        m_gatherer = std::make_unique<Gatherer>(m_features->spaces, m_features->memory->terms());
        QVERIFY(!gatherAndRecall(u"parrot"_s).degraded);
    }

    void a_change_of_the_store_moves_every_user_data() { stores(); }
    void a_change_of_the_store_moves_every_user()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        use(nullptr); // back to PostgreSQL
        QVERIFY(gatherAndRecall(u"parrot"_s).block.contains(u"Ferdinand"_s));
        QTRY_COMPARE_WITH_TIMEOUT(text(u"SELECT space AS text FROM memory_owners"_s),
                                  m_features->spaces.target().name(), 10'000);
        QCOMPARE(count(u"memory_vectors WHERE vector IS NULL"_s), 0);
        QCOMPARE(count(u"memory_vectors WHERE vector IS NOT NULL"_s), 2);
        QVERIFY(!gatherAndRecall(u"parrot"_s).degraded);
        QCOMPARE(count(u"memory_queue WHERE kind = 'forget'"_s), 1); // waits until the store is configured again
    }

private:
    static constexpr int WordVectorsLength = 100;

    void stores()
    {
        QTest::addColumn<int>("unused");
        QTest::newRow("pinecone") << 0;
        if (!m_chroma->url().isEmpty())
            QTest::newRow("chroma") << 0;
    }
    void down(bool isDown)
    {
        if (m_made->name() == u"chroma"_s)
            isDown ? m_chroma->stop() : m_chroma->start();
        else
            m_pinecone->wire.failures = isDown ? 1'000'000 : 0;
    }

    std::unique_ptr<ChromaServer> m_chroma;
    std::unique_ptr<FakePinecone> m_pinecone;
    std::unique_ptr<VectorStore> m_made;
};

QTEST_GUILESS_MAIN(VectorStoresTest)
#include "tst_VectorStores.moc"
