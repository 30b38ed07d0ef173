#pragma once

#include "common/describe/Field.h"
#include "db/Session.h"
#include "identity/AccessTokens.h"

namespace companion::identity {

// What is told of a key: never its secret.
struct SigningKeyState
{
    QString id;
    bool signs = false; // now; the others verify, or wait for their time
    QDateTime createdAt;
    QDateTime signsFrom;
    std::optional<QDateTime> verifiesUntil; // nullopt: no end has been set

    static constexpr const char *modelName = "SigningKey";
    static constexpr auto fields()
    {
        using K = SigningKeyState;
        return std::tuple(field("id", &K::id), field("signs", &K::signs), field("created_at", &K::createdAt),
                          field("signs_from", &K::signsFrom),
                          field("verifies_until", &K::verifiesUntil, {.nullable = true}));
    }
};

// The table signing_keys. A key signs for 30 days; its successor is published two minutes before it signs, and the old
// one verifies until no token of it can be alive: nobody is signed out. Every instance loads at start and then every
// reload_s, so that each knows a key before it signs, whatever a minute's difference between their clocks. Operator
// lane; own transaction. Stateless.
class SigningKeys
{
public:
    // Makes the first key or the next one where it is time, drops the dead, and gives all that count now: the first of
    // them signs. Safe to call from several instances at once.
    QList<AccessTokens::Key> load(db::Session &db) const;
    QList<SigningKeyState> list(db::Session &db) const; // the newest first

    // The next key before its time, signing in `signsIn_s`: shorter than two reloads, and other instances may refuse
    // its first tokens. In the caller's transaction.
    void rotate(db::Session &db, int signsIn_s = publishedAhead_s) const;
    // For when a key may have leaked: all keys stop, and every device is signed out, at once in the database; what
    // another instance still signs with the old key is worth nothing after its next reload. How many devices. In the
    // caller's transaction.
    int replaceAll(db::Session &db) const;

    static constexpr int signs_days = 30;
    static constexpr int reload_s = 5;
    static constexpr int publishedAhead_s = 120;
    static constexpr int outlives_s = 60 * 60; // a token's life, and what other instances' clocks may lag
};

} // namespace companion::identity
