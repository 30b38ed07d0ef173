// Long-term memory with what is built in: PostgreSQL and the embedder in process.

#include "MemoryFixture.h"

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class MemoriesTest : public QObject, private MemoryFixture
{
    Q_OBJECT

private Q_SLOTS:
    void init() { makeRemembering(); }
    void cleanup() { m_keeper.reset(); }

    void what_was_said_is_remembered_and_brought_into_a_later_prompt()
    {
        say(u"My parrot Ferdinand escaped through the kitchen window"_s);
        for (int i = 0; i < 12; ++i)
            say(u"We talk about the weather, number %1"_s.arg(i));
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memories"_s), 26);
        QCOMPARE(count(u"memory_vectors WHERE vector IS NOT NULL"_s), 26);
        m_session = openSession(m_user, u"aria"_s);
        const auto turn = say(u"What is my parrot called?"_s);
        QVERIFY(turn.prompt.first().content.contains(u"Ferdinand"_s));
        QVERIFY(!turn.memories.isEmpty());
        QVERIFY(turn.memories.size() <= 5);
        QCOMPARE(count(u"memories WHERE text LIKE '%%Ferdinand%%' AND id = '%1'"_s.arg(
                     turn.memories.first().messageId.toString())),
                 1);
        QVERIFY(turn.degraded.isEmpty());
        // What it costs is in the price.
        m_features->accounts.setTier(m_db->operators(), m_user, Tier::Free, std::nullopt, m_db->clock().now());
        const auto free = say(u"What is my parrot called?"_s);
        QVERIFY(free.promptEstimate < turn.promptEstimate);
        verifyBooks();
    }

    void the_quote_is_what_the_turn_holds()
    {
        say(u"My parrot Ferdinand escaped through the kitchen window"_s);
        QVERIFY(waitUntilKept());
        m_session = openSession(m_user, u"aria"_s);
        const auto quote = chat().quote(m_db->app(), order(u"What is my parrot called?"_s, 16));
        const auto turn = say(u"What is my parrot called?"_s);
        QCOMPARE(quote->maxCost, turn.held);
    }

    void free_users_cost_no_vector_work()
    {
        m_user = newUser(u"free@example.com"_s);
        m_session = openSession(m_user, u"aria"_s);
        say(u"My parrot Ferdinand escaped"_s);
        QCOMPARE(count(u"memory_queue"_s), 0);
        QCOMPARE(count(u"memory_owners"_s), 0);
        const auto turn = say(u"What is my parrot called?"_s);
        QVERIFY(turn.memories.isEmpty());
        QVERIFY(turn.degraded.isEmpty());
    }

    void settled_together_is_remembered_as_settled_alone()
    {
        const auto begun = chat().begin(m_db->app(), order(u"My parrot is called Ferdinand"_s, 16));
        const auto turn = std::get<chat::Turn>(*begun);
        QVERIFY(turn.remember);
        const auto other = newUser(u"free@example.com"_s);
        const auto hers = m_user;
        m_user = other;
        m_session = openSession(other, u"aria"_s);
        const auto free = std::get<chat::Turn>(*chat().begin(m_db->app(), order(u"Hello"_s, 16)));
        const auto settled =
            chat().settleTogether(m_db->operators(), {{turn, completion(100)}, {free, completion(100)}});
        QVERIFY(settled[0] && settled[1]);
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memories WHERE user_id = '%1'"_s.arg(hers.toString())), 2);
        QCOMPARE(count(u"memories"_s), 2);
    }

    void a_debt_withholds_it()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        m_db->owner().script(u"UPDATE user_wallet SET debt = 1"_s);
        m_session = openSession(m_user, u"aria"_s);
        const auto begun = chat().begin(m_db->app(), order(u"What is my parrot called?"_s, 16));
        const auto turn = std::get<chat::Turn>(*begun);
        QVERIFY(turn.memories.isEmpty());
        QVERIFY(!turn.remember);
    }

    void what_was_told_to_one_companion_is_not_told_by_another()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        m_session = openSession(m_user, u"kenji"_s);
        QVERIFY(say(u"What is my parrot called?"_s).memories.isEmpty());
    }

    void what_was_said_in_spicy_mode_stays_there()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        QVERIFY(!recall(u"parrot Ferdinand"_s).memories.isEmpty());
        m_db->owner().script(
            u"UPDATE memories SET mode = 'spicy'; SELECT memory_touch('%1', true)"_s.arg(m_user.toString()));
        QVERIFY(recall(u"parrot Ferdinand"_s).memories.isEmpty());
        QVERIFY(!recall(u"parrot Ferdinand"_s, Mode::Spicy).memories.isEmpty());
    }

    void the_window_is_not_told_twice()
    {
        say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        const auto turn = say(u"What is my parrot called?"_s); // the same session: it is in the window
        QVERIFY(turn.memories.isEmpty());
    }

    void a_correction_counts_from_the_next_question()
    {
        const auto turn = say(u"My parrot Ferdinand escaped"_s);
        QVERIFY(waitUntilKept());
        const auto found = recall(u"parrot"_s).memories.first().messageId;
        db::Transaction transaction(m_db->app(), m_user);
        const auto corrected = m_features->memory->correct(m_db->app(), m_user, MemoryId(found.uuid()),
                                                           {.text = u"My parrot Leopold escaped"_s});
        transaction.commit();
        QVERIFY(corrected && corrected->edited);
        QVERIFY(recall(u"parrot"_s).block.contains(u"Leopold"_s));
        QVERIFY(!recall(u"parrot"_s).block.contains(u"Ferdinand"_s));
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memory_vectors"_s), 2);
    }

    void facts_are_learned_and_the_users_own_word_stays()
    {
        say(u"I live in Berlin."_s);
        QVERIFY(waitUntilKept());
        QCOMPARE(text(u"SELECT value AS text FROM memory_facts WHERE kind = 'home'"_s), u"Berlin"_s);
        say(u"I live in Hamburg."_s);
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memory_facts WHERE kind = 'home'"_s), 1);
        QCOMPARE(text(u"SELECT value AS text FROM memory_facts WHERE kind = 'home'"_s), u"Hamburg"_s);
        const auto id = MemoryId::parse(text(u"SELECT id::text AS text FROM memory_facts WHERE kind = 'home'"_s));
        {
            db::Transaction transaction(m_db->app(), m_user);
            QVERIFY(m_features->memory->correct(m_db->app(), m_user, *id, {.value = u"Altona"_s}));
            transaction.commit();
        }
        say(u"I live in Hamburg."_s);
        QVERIFY(waitUntilKept());
        QCOMPARE(text(u"SELECT string_agg(value, ',') AS text FROM memory_facts WHERE kind = 'home'"_s), u"Altona"_s);
        QVERIFY(recall(u"where do I live"_s).block.contains(u"Altona"_s));
    }

    void deleting_a_message_a_session_or_everything_leaves_nothing_and_a_receipt()
    {
        say(u"My parrot Ferdinand escaped. I live in Berlin."_s);
        const auto second = say(u"My cat Minka sleeps"_s);
        QVERIFY(waitUntilKept());
        const auto message =
            MessageId::parse(text(u"SELECT id::text AS text FROM chat_messages WHERE content LIKE '%Ferdinand%'"_s));
        {
            db::Transaction transaction(m_db->app(), m_user);
            const auto receipt = chat().removeMessage(m_db->app(), m_user, *message);
            transaction.commit();
            QVERIFY(receipt && *receipt);
            QCOMPARE((*receipt)->memories, 1);
            QVERIFY((*receipt)->facts >= 1);
            QVERIFY((*receipt)->doneAt);
        }
        QVERIFY(!recall(u"parrot Ferdinand"_s).block.contains(u"Ferdinand"_s));
        QVERIFY(recall(u"cat"_s).block.contains(u"Minka"_s));
        {
            db::Transaction transaction(m_db->app(), m_user);
            QVERIFY(chat().removeSession(m_db->app(), m_user, m_session));
            transaction.commit();
        }
        QCOMPARE(count(u"memories"_s), 0);
        QCOMPARE(count(u"memory_vectors"_s), 0);
        QVERIFY(recall(u"cat"_s).block.isEmpty());
        m_session = openSession(m_user, u"aria"_s);
        say(u"I live in Berlin."_s);
        QVERIFY(waitUntilKept());
        {
            db::Transaction transaction(m_db->app(), m_user);
            const auto receipt = m_features->memory->eraseFor(m_db->app(), m_user);
            transaction.commit();
            QCOMPARE(receipt.memories, 2);
            QVERIFY(receipt.facts >= 1);
        }
        QCOMPARE(count(u"memories"_s) + count(u"memory_vectors"_s) + count(u"memory_facts"_s), 0);
        QCOMPARE(count(u"memory_receipts WHERE done_at IS NOT NULL"_s), 3);
    }

    void what_is_deleted_before_it_was_noted_is_never_remembered()
    {
        m_keeper->stop();
        say(u"My parrot Ferdinand escaped"_s);
        {
            db::Transaction transaction(m_db->app(), m_user);
            QVERIFY(chat().removeSession(m_db->app(), m_user, m_session));
            transaction.commit();
        }
        keep();
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memories"_s), 0);
    }

    void what_was_forgotten_does_not_come_back_with_a_second_try()
    {
        say(u"My parrot Ferdinand escaped"_s);
        m_keeper->stop();
        const auto entry = m_features->memory->store().take(m_db->operators(),
                                                            QUuid::createUuid().toString(QUuid::WithoutBraces), 60, 10);
        QTRY_VERIFY(m_keeper->isIdle());
        QVERIFY(waitUntilKept() || !entry.isEmpty());
        if (!entry.isEmpty())
            m_db->owner().script(u"UPDATE memory_queue SET lease_id = NULL, lease_until = NULL"_s);
        keep();
        QVERIFY(waitUntilKept());
        const auto id = MemoryId::parse(text(u"SELECT id::text AS text FROM memories WHERE text LIKE '%Ferdinand%'"_s));
        // as if the end of the entry had been lost
        m_db->owner().script(
            u"INSERT INTO memory_queue (user_id, kind, session_id, memory_ids, noted, due_at, created_at) VALUES ('%1', 'note', '%2', ARRAY['%3'::uuid], true, now() - interval '1 year', now())"_s
                .arg(m_user.toString(), m_session.toString(), id->toString()));
        {
            db::Transaction transaction(m_db->app(), m_user);
            QVERIFY(m_features->memory->forget(m_db->app(), m_user, *id));
            transaction.commit();
        }
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memories WHERE text LIKE '%Ferdinand%'"_s), 0);
    }

    void an_instance_that_dies_leaves_its_entries_to_the_next()
    {
        m_keeper->stop();
        QTRY_VERIFY(m_keeper->isIdle());
        say(u"My parrot Ferdinand escaped"_s);
        const auto taken = m_features->memory->store().take(m_db->operators(),
                                                            QUuid::createUuid().toString(QUuid::WithoutBraces), 60, 10);
        QCOMPARE(taken.size(), 1); // and this one dies
        keep();
        QTest::qWait(100);
        QCOMPARE(count(u"memories"_s), 0);
        m_db->clock().advance(61s);
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memories"_s), 2);
    }

    void nobody_is_told_what_another_said()
    {
        QList<std::pair<UserId, SessionId>> people;
        for (int i = 0; i < 100; ++i) {
            m_user = newUser(u"p%1@example.com"_s.arg(i));
            makePremium(m_user);
            m_session = openSession(m_user, u"aria"_s);
            say(u"My secret word is banana%1. I live in Town%1."_s.arg(i));
            people.append({m_user, m_session});
        }
        QVERIFY(waitUntilKept());
        QCOMPARE(count(u"memories"_s), 200);
        for (int i = 0; i < 100; ++i) {
            m_user = people[i].first;
            m_session = people[i].second;
            const QString block = recall(u"What is my secret word banana%1, the town?"_s.arg((i + 1) % 100)).block;
            QVERIFY(block.contains(u"banana%1."_s.arg(i)));
            for (int j = 0; j < 100; ++j)
                if (j != i)
                    QVERIFY(!block.contains(u"banana%1."_s.arg(j)) && !block.contains(u"Town%1\n"_s.arg(j)));
        }
        // Nor by an id: another's memory is one that is not there, whatever the act names.
        const UserId mine = people[0].first, theirs = people[1].first;
        const auto id = MemoryId::parse(
            text(u"SELECT id::text AS text FROM memories WHERE user_id = '%1' LIMIT 1"_s.arg(theirs.toString())));
        for (const UserId &named : {mine, theirs}) {
            db::Transaction transaction(m_db->app(), mine);
            QVERIFY(!m_features->memory->find(m_db->app(), named, *id));
            QVERIFY(!m_features->memory->forget(m_db->app(), named, *id));
            QCOMPARE(m_features->memory->list(m_db->app(), theirs, std::nullopt, {}).items.size(), 0);
        }
        QCOMPARE(count(u"memories"_s), 200);
    }

    void what_is_kept_in_process_stays_within_its_bound()
    {
        memory::MemoryService small(m_features->spaces,
                                    {.cache_bytes = 1, .tokensOf = [](QStringView t) { return int(t.size()); }});
        for (int i = 0; i < 5; ++i) {
            m_user = newUser(u"p%1@example.com"_s.arg(i));
            makePremium(m_user);
            m_session = openSession(m_user, u"aria"_s);
            say(u"My parrot is called Ferdinand%1"_s.arg(i));
            QVERIFY(waitUntilKept());
            QVERIFY(!small.recall(m_db->app(), asked(u"parrot"_s), std::nullopt).block.isEmpty());
            QCOMPARE(small.cache().users(), 1);
        }
    }

    void another_instance_sees_every_change_at_the_next_question()
    {
        memory::MemoryService other(m_features->spaces, m_features->memory->terms());
        for (int i = 0; i < 5; ++i) {
            say(u"My parrot number %1 is called Ferdinand%1"_s.arg(i));
            QVERIFY(waitUntilKept());
            QVERIFY(other.recall(m_db->app(), asked(u"parrot number %1 Ferdinand%1"_s.arg(i)), std::nullopt)
                        .block.contains(u"Ferdinand%1"_s.arg(i)));
        }
        const auto id = MemoryId::parse(
            text(u"SELECT id::text AS text FROM memories WHERE text LIKE '%Ferdinand3%' AND speaker = 'user'"_s));
        {
            db::Transaction transaction(m_db->app(), m_user);
            QVERIFY(m_features->memory->forget(m_db->app(), m_user, *id));
            transaction.commit();
        }
        QVERIFY(!other.recall(m_db->app(), asked(u"Ferdinand3"_s), std::nullopt).block.contains(u"Ferdinand3"_s));
    }
};

QTEST_GUILESS_MAIN(MemoriesTest)
#include "tst_Memories.moc"
