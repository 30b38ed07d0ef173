#pragma once

#include "db/Session.h"
#include "identity/AccessTokens.h"

namespace companion::identity {

// The table signing_keys. A key signs for 30 days; its successor is published 15 minutes before it signs, and the old
// one verifies until no token of it can be alive: nobody is signed out. Every instance loads at start and then at least
// every 5 minutes. Operator lane; own transaction. Stateless.
class SigningKeys
{
public:
    // Makes the first key or the next one where it is time, drops the dead, and gives all that count now: the first of
    // them signs. Safe to call from several instances at once.
    QList<AccessTokens::Key> load(db::Session &db) const;
    // For when a key may have leaked: all keys stop at once, every access token with them (refresh tokens stay good).
    QList<AccessTokens::Key> replaceAll(db::Session &db) const;

    static constexpr int signs_days = 30;
    static constexpr int publishedAhead_s = 15 * 60;
    static constexpr int outlives_s = 60 * 60; // a token's life, and what other instances' reloading may lag
};

} // namespace companion::identity
