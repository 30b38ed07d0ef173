#pragma once

#include "chat/ChatFixture.h"
#include "memory/MemoryKeeper.h"

namespace companion::test {

// A premium user who talks: what they say is settled as the chat does it, and a keeper makes memories of it.
class MemoryFixture : public ChatFixture
{
protected:
    void makeRemembering()
    {
        makeFeatures();
        makePremium(m_user);
        keep();
    }
    ~MemoryFixture() { m_keeper.reset(); }

    void keep()
    {
        m_keeper = std::make_unique<memory::MemoryKeeper>(
            *m_features->memory, m_db->operatorWorkers(),
            memory::MemoryKeeper::Pace{.look_ms = 20, .nudge_ms = 1, .lease_s = 2, .firstPause_ms = 10});
        m_keeper->start();
    }

    void makePremium(const UserId &user)
    {
        ensure(m_features->accounts.setTier(m_db->operators(), user, Tier::Premium, std::nullopt, m_db->clock().now())
                   .has_value(),
               "the tier is set");
    }

    // Said and answered at a moment of its own; the question's id.
    chat::Turn say(const QString &text, const QString &reply = u"I see."_s)
    {
        m_db->clock().advance(std::chrono::seconds(7));
        auto wanted = order(text, 16);
        auto admission = chat().begin(m_db->app(), wanted);
        if (admission)
            if (const auto *toGather = std::get_if<chat::ToGather>(&*admission)) { // as if nothing answered in time
                wanted.gathered = memory::Gathered{.space = toGather->space, .degraded = true};
                admission = chat().begin(m_db->app(), wanted);
            }
        ensure(admission.has_value(), admission ? "" : qPrintable(admission.error().detail));
        const auto turn = std::get<chat::Turn>(*admission);
        auto done = completion(100);
        done.text = reply;
        ensure(chat().settle(m_db->app(), turn, done).has_value(), "it settles");
        return turn;
    }

    bool waitUntilKept()
    {
        return QTest::qWaitFor([this] { return queued() == 0; }, 15'000);
    }
    qint64 queued() { return count(u"memory_queue WHERE dead_at IS NULL"_s); }
    qint64 count(const QString &what)
    {
        return m_db->owner().script(u"SELECT count(*) AS n FROM "_s + what).first().integer("n");
    }
    QString text(const QString &query)
    {
        const auto rows = m_db->owner().script(query);
        return rows.isEmpty() ? QString() : rows.first().text("text");
    }

    memory::RecallOrder asked(const QString &question, Mode mode = Mode::Normal)
    {
        return {.user = m_user,
                .character =
                    CharacterId::parse(text(u"SELECT id::text AS text FROM character_config WHERE slug = 'aria'"_s))
                        .value(),
                .session = SessionId::create(),
                .mode = mode,
                .text = question,
                .userName = u"Ada"_s,
                .companionName = u"Aria"_s};
    }
    memory::Recollection recall(const QString &question, Mode mode = Mode::Normal)
    {
        return m_features->memory->recall(m_db->app(), asked(question, mode), std::nullopt);
    }

    std::unique_ptr<memory::MemoryKeeper> m_keeper;
};

} // namespace companion::test
