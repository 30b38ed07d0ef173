#pragma once

#include <QString>
#include <stdexcept>

namespace companion::db {

// The one exception of the database: what() is the server's own text for the log, never for a client.
// sqlState() is PostgreSQL's five-character code, empty where the connection broke before the server could answer.
class DatabaseError : public std::runtime_error
{
public:
    DatabaseError(const QString &text, const QString &sqlState, const QString &constraint = {});

    const QString &sqlState() const { return m_sqlState; }
    // The violated constraint's name (class 23 only), "" otherwise.
    const QString &constraint() const { return m_constraint; }
    // The connection is gone or could not be had. What a COMMIT that failed so has done is unknown.
    bool isConnectionLost() const;
    bool isUniqueViolation() const { return m_sqlState == QLatin1StringView("23505"); }
    // A deadlock or a serialization failure: the same transaction may succeed when run again from its start.
    bool isWorthRepeating() const;

private:
    QString m_sqlState;
    QString m_constraint;
};

} // namespace companion::db
