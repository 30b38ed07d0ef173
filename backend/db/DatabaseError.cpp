#include "db/DatabaseError.h"

namespace companion::db {

DatabaseError::DatabaseError(const QString &text, const QString &sqlState, const QString &constraint)
    : std::runtime_error(text.toStdString())
    , m_sqlState(sqlState)
    , m_constraint(constraint)
{
}

bool DatabaseError::isConnectionLost() const
{
    // 08: connection exceptions; 57P01..57P03, 57P05: shut down, crashed, starting up, idle too long;
    // 53300: too many connections
    return m_sqlState.isEmpty() || m_sqlState.startsWith(QLatin1StringView("08"))
        || m_sqlState.startsWith(QLatin1StringView("57P")) || m_sqlState == QLatin1StringView("53300");
}

bool DatabaseError::isWorthRepeating() const
{
    return m_sqlState == QLatin1StringView("40001") || m_sqlState == QLatin1StringView("40P01");
}

} // namespace companion::db
