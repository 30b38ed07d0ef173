#include "db/Migrator.h"

#include "common/Ensure.h"
#include "db/DatabaseError.h"
#include "db/Session.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <algorithm>

using namespace Qt::StringLiterals;

namespace companion::db {

namespace {

constexpr qint64 lockKey = 0x636f6d70616e696f; // "companio"

class MigrationLock
{
public:
    explicit MigrationLock(Session &owner)
        : m_owner(owner)
    {
        m_owner.script(u"SELECT pg_advisory_lock(%1)"_s.arg(lockKey));
    }
    ~MigrationLock()
    {
        try {
            m_owner.script(u"SELECT pg_advisory_unlock(%1)"_s.arg(lockKey));
        } catch (const std::exception &) {
            // the connection is gone, and the lock with it
        }
    }
    MigrationLock(const MigrationLock &) = delete;
    MigrationLock &operator=(const MigrationLock &) = delete;

private:
    Session &m_owner;
};

QString literal(QString text)
{
    return u'\'' + text.replace(u'\'', u"''"_s) + u'\'';
}

bool hasTable(Session &owner)
{
    return !owner.script(u"SELECT 1 WHERE to_regclass('public.schema_migrations') IS NOT NULL"_s).isEmpty();
}

QStringList namesOf(const QList<Migration> &migrations)
{
    QStringList names;
    for (const auto &migration : migrations)
        names << migration.name;
    return names;
}

void apply(Session &owner, const Migration &migration)
try {
    Transaction transaction(owner);
    owner.script(QString::fromUtf8(migration.sql));
    owner.script(u"INSERT INTO public.schema_migrations (number, name, checksum) VALUES (%1, %2, %3)"_s.arg(
        QString::number(migration.number), literal(migration.name), literal(migration.checksum())));
    transaction.commit();
} catch (const DatabaseError &error) {
    throw DatabaseError(u"migration %1: "_s.arg(migration.name) + QString::fromUtf8(error.what()), error.sqlState(),
                        error.constraint());
}

} // namespace

QString Migration::checksum() const
{
    return QString::fromLatin1(QCryptographicHash::hash(sql, QCryptographicHash::Sha256).toHex());
}

const QList<Migration> &Migrator::embedded()
{
    static const QList<Migration> all = [] {
        QList<Migration> migrations;
        for (const auto &entry : QDir(u":/migrations"_s).entryInfoList({u"*.sql"_s}, QDir::Files, QDir::Name)) {
            QFile file(entry.filePath());
            ensure(file.open(QIODevice::ReadOnly), "an embedded migration can be read");
            migrations << Migration{entry.fileName().left(4).toInt(), entry.completeBaseName(), file.readAll()};
        }
        return migrations;
    }();
    return all;
}

Migrator::Migrator(const QList<Migration> &migrations)
    : m_migrations(migrations)
{
    std::ranges::sort(m_migrations, {}, &Migration::number);
    for (qsizetype i = 0; i < m_migrations.size(); ++i)
        ensure(m_migrations[i].number > (i == 0 ? 0 : m_migrations[i - 1].number),
               "migrations carry a number of their own, from 0001 up");
}

std::expected<QStringList, QString> Migrator::migrate(Session &owner) const
{
    const MigrationLock lock(owner);
    if (!hasTable(owner))
        owner.script(u"CREATE TABLE public.schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
                     " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"_s);
    const auto todo = missing(owner);
    if (!todo)
        return std::unexpected(todo.error());
    for (const auto &migration : *todo)
        apply(owner, migration);
    return namesOf(*todo);
}

std::expected<QStringList, QString> Migrator::pending(Session &owner) const
{
    if (!hasTable(owner))
        return namesOf(m_migrations);
    const auto todo = missing(owner);
    return todo ? std::expected<QStringList, QString>(namesOf(*todo)) : std::unexpected(todo.error());
}

std::expected<QList<Migration>, QString> Migrator::missing(Session &owner) const
{
    QList<Migration> todo = m_migrations;
    for (const auto &row : owner.script(u"SELECT number, name, checksum FROM public.schema_migrations ORDER BY 1"_s)) {
        const auto known = std::ranges::find(todo, int(row.integer("number")), &Migration::number);
        if (known == todo.end())
            return std::unexpected(u"The database is newer than this program: it has the migration %1, which this "
                                   "program does not know. Start the newer version."_s.arg(row.text("name")));
        if (known->checksum() != row.text("checksum"))
            return std::unexpected(u"The migration %1 was applied to this database with another content than this "
                                   "program has. Migrations never change once applied: start the version that the "
                                   "database was made with, or correct by a new migration."_s.arg(row.text("name")));
        todo.erase(known);
    }
    return todo;
}

} // namespace companion::db
