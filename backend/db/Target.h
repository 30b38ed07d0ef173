#pragma once

#include <QMap>
#include <QString>
#include <expected>

namespace companion::db {

// Where a database is and who connects: what a postgres:// URL says, in parts.
struct Target
{
    QString host; // a name, an address, or the directory of a Unix socket (begins with '/')
    int port = 5432;
    QString database;
    QString user;
    QString password = {};
    QMap<QString, QString> options = {}; // libpq's own: sslmode, sslrootcert, connect_timeout, …

    // postgres://user:password@host:port/database?sslmode=require, percent-encoded; postgresql:// too. A Unix socket
    // is ?host=/directory or an encoded host (%2Frun%2Fpg). The error is a sentence that never repeats the password.
    static std::expected<Target, QString> parse(const QString &url);

    Target as(const QString &otherUser, const QString &otherPassword) const;
    Target inDatabase(const QString &otherDatabase) const;
    QString label() const; // "user@host:port/database", for logs
    bool isUnixSocket() const { return host.startsWith(QLatin1Char('/')); }
    // What QSqlDatabase::setConnectOptions takes: the options above, sane defaults, and `settings` for the session.
    QString connectOptions(const QMap<QString, QString> &settings) const;
};

} // namespace companion::db
