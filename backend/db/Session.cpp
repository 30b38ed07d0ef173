#include "db/Session.h"

#include "db/Connection.h"

namespace companion::db {

Session::Session(const Target &target, const Clock &clock, int statementTimeout_ms)
    : m_connection(std::make_unique<Connection>(target, statementTimeout_ms))
    , m_clock(clock)
{
}

Session::~Session() = default;

Rows Session::rows(const char *statement, Binds binds)
{
    return m_connection->execute(statement, binds).rows;
}

std::optional<Row> Session::first(const char *statement, Binds binds)
{
    const Rows found = rows(statement, binds);
    return found.isEmpty() ? std::nullopt : std::optional(found.first());
}

Row Session::one(const char *statement, Binds binds)
{
    const Rows found = rows(statement, binds);
    ensure(!found.isEmpty(), statement);
    return found.first();
}

qint64 Session::execute(const char *statement, Binds binds)
{
    return m_connection->execute(statement, binds).touched;
}

Rows Session::script(const QString &sql)
{
    return m_connection->script(sql).rows;
}

void Session::makeReady()
{
    m_connection->makeReady();
}

Transaction::Transaction(Session &session)
    : m_connection(*session.m_connection)
{
    m_connection.begin(nullptr);
}

Transaction::Transaction(Session &session, const UserId &user)
    : m_connection(*session.m_connection)
{
    m_connection.begin(&user);
}

Transaction::~Transaction()
{
    if (m_open)
        m_connection.rollback();
}

void Transaction::commit()
{
    m_connection.commit();
    m_open = false;
}

Savepoint::Savepoint(Session &session)
    : m_session(session)
{
    m_session.script(QStringLiteral("SAVEPOINT act"));
}

void Savepoint::rollback()
{
    m_session.script(QStringLiteral("ROLLBACK TO SAVEPOINT act"));
}

} // namespace companion::db
