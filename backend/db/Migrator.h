#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <expected>

namespace companion::db {

class Session;

struct Migration
{
    int number = 0;
    QString name; // "0001_foundation"
    QByteArray sql;

    QString checksum() const; // SHA-256 of the text, in hex
};

// Brings a database forward: numbered files, each in one transaction of its own, never back. Several instances may
// call it at the same moment; one works, the others wait for it (an advisory lock).
class Migrator
{
public:
    static const QList<Migration> &embedded(); // resources/migrations, in order; two of one number are a Bug

    explicit Migrator(const QList<Migration> &migrations = embedded());

    // The names applied now; an error text when the database is newer than this program, or was made from other files.
    // Throws DatabaseError when a migration fails: that one is rolled back, those before it stay.
    std::expected<QStringList, QString> migrate(Session &owner) const;
    // The names that migrate() would apply, under the same refusals; changes nothing.
    std::expected<QStringList, QString> pending(Session &owner) const;

private:
    std::expected<QList<Migration>, QString> missing(Session &owner) const;

    QList<Migration> m_migrations;
};

} // namespace companion::db
