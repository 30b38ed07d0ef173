#pragma once

#include "billing/TierStore.h"
#include "characters/PersonaCache.h"
#include "chat/SessionStore.h"
#include "chat/Turn.h"
#include "common/models/Wallet.h"
#include "identity/Account.h"

#include <vector>

namespace companion::chat {

// Everything a turn is decided by, as the database says at its start.
struct Scene
{
    identity::Account account;
    billing::TierTerms tier;
    BalanceSummary balance; // after the day's refresh
    Credits debt = {};
    std::optional<MessageId> earlier; // the turn that has the order's Idempotency-Key
    std::optional<LockedSession> session; // as it was seen, not locked
    characters::VersionedPersona persona;
    Mode mode = Mode::Normal;
    QList<llm::ChatMessage> before;
    QStringList userBefore; // what the user said in the window, for rules that look across turns
};

// Loads the scene: one statement in a transaction of its own, and the persona where it is not in the cache.
class SceneStore
{
public:
    explicit SceneStore(const characters::CharacterService &characters);

    // unauthenticated, account_suspended, not_found (the session), model_not_found (the stateless door's character).
    // With an earlier turn, nothing but that and the account is loaded.
    Result<Scene> load(db::Session &db, const TurnOrder &order, int windowMessages) const;
    // Many at once, by one statement for all; operator role. Of each order the scene, or nothing where there is more to
    // it than reading: load() does that one.
    std::vector<std::optional<Scene>> loadTogether(db::Session &db, const std::vector<TurnOrder> &orders,
                                                   int windowMessages) const;

private:
    Result<Scene> read(db::Session &db, const db::Row &row, const TurnOrder &order) const;
    Result<void> enterSession(db::Session &db, const db::Row &row, const TurnOrder &order, Scene &scene) const;
    Result<void> enterStateless(db::Session &db, const TurnOrder &order, Scene &scene) const;

    const characters::CharacterService &m_characters;
    mutable characters::PersonaCache m_personas;
};

} // namespace companion::chat
