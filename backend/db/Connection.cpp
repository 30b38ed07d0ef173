#include "db/Connection.h"

#include "common/Ensure.h"

#include <QRegularExpression>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlRecord>
#include <atomic>

using namespace Qt::StringLiterals;

namespace companion::db {

namespace {

constexpr int idleBeforePing_ms = 1000;

QString uniqueConnectionName()
{
    static std::atomic<quint64> count = 0;
    return u"companion-%1"_s.arg(++count);
}

// The server's text is in its own language, so just the quotes are looked for: the constraint is the last quoted name.
QString constraintIn(const QString &text)
{
    static const QRegularExpression quoted(u"[\"»«„“”「]([A-Za-z_][A-Za-z0-9_$]*)[\"»«„“”」]"_s);
    QString last;
    auto matches = quoted.globalMatch(text.section(u'\n', 0, 0));
    while (matches.hasNext())
        last = matches.next().captured(1);
    return last;
}

DatabaseError toDatabaseError(const QSqlError &error)
{
    const QString state = error.nativeErrorCode();
    QString text = error.databaseText().trimmed();
    if (text.isEmpty())
        text = error.driverText();
    return DatabaseError(text, state, state.startsWith("23"_L1) ? constraintIn(text) : QString());
}

void appendLiteral(QString &sql, const Value &value)
{
    if (value.isNull()) {
        sql += "NULL"_L1;
        return;
    }
    sql += u'\'';
    for (const QChar c : value.text()) {
        if (c.isNull())
            throw DatabaseError(u"a text holds a NUL character, which PostgreSQL cannot store"_s, u"22021"_s);
        sql += c;
        if (c == u'\'')
            sql += c; // standard_conforming_strings is on: a backslash is a backslash
    }
    sql += u'\'';
}

const Value &bound(const QByteArray &placeholder, Binds binds, const QByteArray &statement)
{
    for (const auto &[name, value] : binds)
        if (placeholder == name)
            return value;
    reportBug(QByteArray(statement + " wants a value for :" + placeholder).constData(),
              std::source_location::current());
}

} // namespace

Connection::Connection(const Target &target, int statementTimeout_ms)
    : m_target(target)
    , m_statementTimeout_ms(statementTimeout_ms)
    , m_name(uniqueConnectionName())
{
    m_lastUsed.start();
}

Connection::~Connection()
{
    close();
}

void Connection::open()
{
    close();
    QSqlDatabase database = QSqlDatabase::addDatabase(u"QPSQL"_s, m_name);
    database.setHostName(m_target.host);
    database.setPort(m_target.port);
    database.setDatabaseName(m_target.database);
    database.setUserName(m_target.user);
    database.setPassword(m_target.password);
    database.setConnectOptions(
        m_target.connectOptions({{u"statement_timeout"_s, QString::number(m_statementTimeout_ms)},
                                 {u"standard_conforming_strings"_s, u"on"_s},
                                 {u"client_min_messages"_s, u"warning"_s},
                                 {u"TimeZone"_s, u"UTC"_s}}));
    if (!database.open())
        throw DatabaseError(m_target.label() + u": "_s + database.lastError().databaseText().trimmed(), u"08001"_s);
    database.setNumericalPrecisionPolicy(QSql::HighPrecision); // NUMERIC as text, never as a double
    m_open = true;
    send(u"SET bytea_output = hex"_s); // QPSQL asks for the old escape format, which shows in bytea::text
}

void Connection::close()
{
    m_prepared.clear();
    m_inTransaction = m_failed = m_open = false;
    if (QSqlDatabase::contains(m_name))
        QSqlDatabase::removeDatabase(m_name); // no QSqlQuery outlives the function that made it
}

void Connection::makeReady()
{
    ensure(!m_inTransaction, "an act begins outside of a transaction");
    if (m_open && m_lastUsed.elapsed() < idleBeforePing_ms)
        return;
    try {
        if (m_open)
            send(u"SELECT 1"_s);
    } catch (const DatabaseError &) {
        close();
    }
    if (!m_open)
        open();
}

QSqlQuery Connection::send(const QString &sql, Fetch fetch)
{
    if (!m_open) {
        ensure(!m_inTransaction, "a transaction's connection is open");
        open();
    }
    QSqlQuery query(QSqlDatabase::database(m_name, false));
    query.setForwardOnly(fetch == Fetch::RowByRow);
    if (!query.exec(sql))
        fail(query.lastError());
    m_lastUsed.restart();
    return query;
}

void Connection::fail(const QSqlError &error)
{
    const DatabaseError failure = toDatabaseError(error);
    m_failed = m_inTransaction;
    if (failure.isConnectionLost())
        m_open = false; // QPSQL never recovers by itself: the next use closes and opens
    throw failure;
}

Connection::Prepared &Connection::prepared(const char *name)
{
    const auto key = QByteArray::fromRawData(name, qsizetype(qstrlen(name)));
    if (const auto found = m_prepared.find(key); found != m_prepared.end())
        return *found;
    const Statement &statement = Statements::embedded().find(QByteArray(name));
    Prepared fresh{.statement = &statement, .name = u"s%1"_s.arg(++m_preparedCount), .columns = nullptr};
    if (statement.preparable)
        send(u"PREPARE %1 AS "_s.arg(fresh.name) + statement.sql);
    return *m_prepared.insert(statement.name, fresh);
}

QString Connection::executeText(const Prepared &prepared, Binds binds) const
{
    const Statement &statement = *prepared.statement;
    ensure(qsizetype(binds.size()) == statement.placeholders.size(), statement.name.constData());
    if (!statement.preparable)
        return statement.sql;
    QString sql = u"EXECUTE "_s + prepared.name;
    QChar before = u'(';
    for (const auto &placeholder : statement.placeholders) {
        sql += before;
        appendLiteral(sql, bound(placeholder, binds, statement.name));
        before = u',';
    }
    if (!statement.placeholders.isEmpty())
        sql += u')';
    return sql;
}

Connection::Answer Connection::sendPrepared(Prepared &prepared, Binds binds)
{
    QSqlQuery query = send(executeText(prepared, binds));
    return read(query, prepared.columns);
}

Connection::Answer Connection::execute(const char *statement, Binds binds)
{
    if (!m_open && !m_inTransaction)
        open();
    try {
        return sendPrepared(prepared(statement), binds);
    } catch (const DatabaseError &error) {
        // 0A000: a migration changed the columns under the plan; 26000: somebody deallocated it. Neither has run.
        const bool stale = error.sqlState() == "0A000"_L1 || error.sqlState() == "26000"_L1;
        if (!stale || !m_prepared.contains(statement))
            throw;
        m_prepared.remove(statement);
        if (m_inTransaction)
            throw;
    }
    return sendPrepared(prepared(statement), binds);
}

// Row by row (forward only), because QPSQL's exec tells only of the first statement's failure, and its record() would
// otherwise ask the catalog in between and lose the results that are still to come.
Connection::Answer Connection::script(const QString &sql)
{
    QSqlQuery query = send(sql, Fetch::RowByRow);
    Answer answer;
    do {
        std::shared_ptr<const QList<QByteArray>> columns;
        answer = read(query, columns);
    } while (!query.lastError().isValid() && query.nextResult());
    if (query.lastError().isValid())
        fail(query.lastError());
    return answer;
}

Connection::Answer Connection::read(QSqlQuery &query, std::shared_ptr<const QList<QByteArray>> &columns)
{
    Answer answer;
    answer.touched = std::max(query.numRowsAffected(), 0);
    if (!query.isSelect())
        return answer;
    if (!columns) { // once per statement: QPSQL asks the catalog for each column's table
        const QSqlRecord record = query.record();
        QList<QByteArray> names;
        for (int i = 0; i < record.count(); ++i)
            names << record.fieldName(i).toUtf8();
        columns = std::make_shared<const QList<QByteArray>>(std::move(names));
    }
    answer.rows.reserve(std::max(query.size(), 0));
    while (query.next()) {
        Row row;
        row.m_columns = columns;
        row.m_values.reserve(columns->size());
        for (int i = 0; i < columns->size(); ++i)
            row.m_values << query.value(i);
        answer.rows << row;
    }
    return answer;
}

void Connection::begin(const UserId *user)
{
    ensure(!m_inTransaction, "transactions do not nest");
    QString sql = u"BEGIN"_s;
    if (user)
        sql += u"; SELECT set_config('companion.user_id', '%1', true)"_s.arg(user->toString());
    const bool wasOpen = m_open;
    try {
        script(sql);
    } catch (const DatabaseError &error) {
        if (!wasOpen || !error.isConnectionLost())
            throw;
        script(sql); // the server closed the idle connection: nothing has happened yet, so once more on a new one
    }
    m_inTransaction = true;
    m_failed = false;
}

void Connection::commit()
{
    ensure(m_inTransaction && !m_failed, "a transaction whose statement failed is not committed");
    send(u"COMMIT"_s);
    m_inTransaction = false;
}

void Connection::rollback() noexcept
{
    try {
        if (m_open)
            send(u"ROLLBACK"_s);
    } catch (const std::exception &) {
        m_open = false; // whatever state it is in: the next use opens a new one
    }
    m_inTransaction = m_failed = false;
}

} // namespace companion::db
