#include "identity/SigningKeys.h"

#include <QRandomGenerator>
#include <algorithm>
#include <array>

namespace companion::identity {

namespace {

QByteArray randomBytes(qsizetype count)
{
    std::array<quint32, 8> random{};
    QRandomGenerator::system()->fillRange(random.data(), static_cast<qsizetype>(random.size()));
    return QByteArray(reinterpret_cast<const char *>(random.data()), count);
}

void createKey(db::Session &db, const QDateTime &now, const QDateTime &signsFrom)
{
    db.execute("identity.create_signing_key",
               {{"id", QString::fromLatin1(randomBytes(8).toHex())},
                {"secret", randomBytes(32)},
                {"now", now},
                {"signs_from", signsFrom}});
}

QList<AccessTokens::Key> keysNow(db::Session &db, const QDateTime &now)
{
    QList<AccessTokens::Key> keys;
    for (const db::Row &row : db.rows("identity.list_signing_keys", {{"now", now}}))
        keys.append({row.text("id"), row.bytes("secret")});
    return keys;
}

} // namespace

QList<AccessTokens::Key> SigningKeys::load(db::Session &db) const
{
    db::Transaction transaction(db);
    const QDateTime now = db.now();
    db.one("identity.lock_signing_keys");
    db.execute("identity.delete_dead_signing_keys", {{"now", now}});
    const auto newest = db.first("identity.newest_signing_key");
    if (!newest)
        createKey(db, now, now);
    else if (newest->time("signs_from").addDays(signs_days) <= now)
        rotate(db);
    const auto keys = keysNow(db, now);
    transaction.commit();
    return keys;
}

QList<SigningKeyState> SigningKeys::list(db::Session &db) const
{
    const QDateTime now = db.now();
    QList<SigningKeyState> states;
    for (const db::Row &row : db.rows("identity.describe_signing_keys"))
        states.append({.id = row.text("id"),
                       .createdAt = row.time("created_at"),
                       .signsFrom = row.time("signs_from"),
                       .verifiesUntil = row.maybeTime("verifies_until")});
    const auto signing = std::ranges::find_if(states, [&](const SigningKeyState &key) { return key.signsFrom <= now; });
    if (signing != states.end())
        signing->signs = true;
    return states;
}

void SigningKeys::rotate(db::Session &db, int signsIn_s) const
{
    const QDateTime now = db.now(), signsFrom = now.addSecs(signsIn_s);
    db.one("identity.lock_signing_keys");
    db.execute("identity.end_signing_keys", {{"verifies_until", signsFrom.addSecs(outlives_s)}});
    createKey(db, now, signsFrom);
}

int SigningKeys::replaceAll(db::Session &db) const
{
    const QDateTime now = db.now();
    db.one("identity.lock_signing_keys");
    db.execute("identity.delete_signing_keys");
    createKey(db, now, now);
    return static_cast<int>(db.execute("identity.revoke_all_devices", {{"now", now}}));
}

} // namespace companion::identity
