#include "identity/FirstAdmin.h"

#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"

#include <QDir>
#include <QFile>

#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

QString firstAdminEmail()
{
    return u"admin@localhost"_s;
}

QString keyIn(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QString::fromLatin1(file.read(200)).trimmed() : QString();
}

QString failure(const QString &what, const QString &path)
{
    return u"%1 %2: %3"_s.arg(what, path, QString::fromLocal8Bit(std::strerror(errno)));
}

// Never there with a wider mode or half written: made as 0600, moved into place when it is on disk.
std::optional<QString> writePrivately(const QString &path, const QByteArray &content)
{
    const QByteArray part = QFile::encodeName(path + u".part"_s);
    ::unlink(part.constData());
    const int file = ::open(part.constData(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return failure(u"Cannot create"_s, QFile::decodeName(part));
    const bool written = ::fchmod(file, 0600) == 0
        && ::write(file, content.constData(), size_t(content.size())) == content.size() && ::fsync(file) == 0;
    if (::close(file) != 0 || !written)
        return failure(u"Cannot write"_s, QFile::decodeName(part));
    if (::rename(part.constData(), QFile::encodeName(path).constData()) != 0)
        return failure(u"Cannot write"_s, path);
    return std::nullopt;
}

bool isOpen(const Account &admin)
{
    return admin.status == UserStatus::Active && admin.has(Role::Admin);
}

bool signsInAsAdmin(db::Session &db, const QString &key)
{
    const auto identity =
        key.isEmpty() ? Result<VerifiedIdentity>(refuse(ErrorCode::NotFound, {})) : AccessKeyProvider().verify(db, key);
    const auto account = identity ? AccountStore().find(db, identity->user, db.now()) : std::nullopt;
    return account && isOpen(*account) && (!identity->narrowedTo || identity->narrowedTo->contains(Role::Admin));
}

Account firstAdmin(db::Session &db)
{
    const AccountStore accounts;
    if (const auto found = accounts.findByEmail(db, firstAdminEmail(), db.now()))
        return *found;
    const auto made =
        accounts.create(db,
                        {.displayName = u"Operator"_s, .email = firstAdminEmail(), .roles = {Role::User, Role::Admin}},
                        db.now());
    ensure(made.has_value(), "the first admin is made under a lock");
    return *made;
}

// A key for admin@localhost; empty where that way in is closed.
QString newAdminKey(db::Session &db)
{
    db::Transaction transaction(db);
    db.one("identity.lock_first_admin");
    const Account admin = firstAdmin(db);
    if (!isOpen(admin))
        return {};
    const auto key = AccessKeys().create(db, admin.id(), std::nullopt);
    AuditLog().append(db,
                      {.actor = u"system"_s,
                       .act = u"access_key.create"_s,
                       .target = auditTarget(admin.id()),
                       .reason = u"There was no admin key in the data directory that signs in."_s,
                       .after = QJsonObject{{u"prefix"_s, key.prefix}}});
    transaction.commit();
    return key.key;
}

} // namespace

std::expected<FirstAdmin, QString> ensureFirstAdmin(db::Session &db, const QString &dataDir)
{
    FirstAdmin result{.keyFile = QDir(dataDir).filePath(u"admin-access-key"_s), .accessKey = {}};
    const QString present = keyIn(result.keyFile);
    if (signsInAsAdmin(db, present)) {
        if (::chmod(QFile::encodeName(result.keyFile).constData(), 0600) != 0)
            return std::unexpected(failure(u"Cannot make private"_s, result.keyFile));
        result.accessKey = present;
        return result;
    }
    result.accessKey = newAdminKey(db);
    result.made = !result.accessKey.isEmpty();
    if (result.made)
        if (const auto problem = writePrivately(result.keyFile, result.accessKey.toLatin1() + '\n'))
            return std::unexpected(*problem);
    return result;
}

} // namespace companion::identity
