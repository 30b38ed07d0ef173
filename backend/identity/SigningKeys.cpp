#include "identity/SigningKeys.h"

#include <QRandomGenerator>
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

void publishSuccessor(db::Session &db, const QDateTime &now)
{
    const QDateTime signsFrom = now.addSecs(SigningKeys::publishedAhead_s);
    db.execute("identity.end_signing_keys", {{"verifies_until", signsFrom.addSecs(SigningKeys::outlives_s)}});
    createKey(db, now, signsFrom);
}

QList<AccessTokens::Key> list(db::Session &db, const QDateTime &now)
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
        publishSuccessor(db, now);
    const auto keys = list(db, now);
    transaction.commit();
    return keys;
}

QList<AccessTokens::Key> SigningKeys::replaceAll(db::Session &db) const
{
    db::Transaction transaction(db);
    const QDateTime now = db.now();
    db.one("identity.lock_signing_keys");
    db.execute("identity.delete_signing_keys");
    createKey(db, now, now);
    const auto keys = list(db, now);
    transaction.commit();
    return keys;
}

} // namespace companion::identity
