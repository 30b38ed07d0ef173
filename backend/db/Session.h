#pragma once

#include "common/Clock.h"
#include "common/Ids.h"
#include "common/describe/EnumText.h"
#include "common/money/Credits.h"
#include "db/Target.h"

#include <QByteArray>
#include <QDateTime>
#include <QJsonArray>
#include <QJsonObject>
#include <QStringList>
#include <QVariant>
#include <memory>
#include <optional>

namespace companion::db {

// A value bound to a :placeholder. Times go as UTC text with milliseconds, decimals as text (the statement casts with
// ::numeric where the type cannot be inferred), QJsonObject and QJsonArray as text (cast ::jsonb), QStringList as a
// text[] literal. A null QString is bound as '' and never as NULL: NULL is std::nullopt. NUL in a text throws
// DatabaseError 22021 (PostgreSQL cannot hold it): whoever takes text from outside refuses it before.
class Value
{
public:
    Value(std::nullopt_t)
        : m_null(true)
    {
    }
    Value(const QString &text)
        : m_text(text)
    {
    }
    Value(const char *text)
        : m_text(QString::fromUtf8(text))
    {
    }
    Value(int number)
        : m_text(QString::number(number))
    {
    }
    Value(qint64 number)
        : m_text(QString::number(number))
    {
    }
    Value(bool flag)
        : m_text(flag ? QStringLiteral("t") : QStringLiteral("f"))
    {
    }
    Value(double number);
    Value(const QByteArray &bytes); // bytea
    Value(const QDateTime &time);
    Value(const QJsonObject &object);
    Value(const QJsonArray &array);
    Value(const QStringList &texts);
    template <class Tag>
    Value(const Id<Tag> &id)
        : Value(id.toString())
    {
    }
    template <class Tag, int Places>
    Value(FixedPoint<Tag, Places> amount)
        : Value(amount.toString())
    {
    }
    template <NamedEnum E>
    Value(E value)
        : Value(toText(value))
    {
    }
    template <class T>
    Value(const std::optional<T> &maybe)
        : Value(maybe ? Value(*maybe) : Value(std::nullopt))
    {
    }

    bool isNull() const { return m_null; }
    // As PostgreSQL reads it in an untyped literal; not yet quoted.
    const QString &text() const { return m_text; }

private:
    QString m_text;
    bool m_null = false;
};

// Names without the colon: {{"user_id", id}, {"amount", amount}}. All of the statement's, and no others.
using Binds = std::initializer_list<std::pair<const char *, Value>>;

// One row of an answer, columns by name. A column that is not there or not readable as asked is a Bug.
class Row
{
public:
    bool isNull(const char *column) const;
    QString text(const char *column) const; // NULL reads as ""
    qint64 integer(const char *column) const;
    double number(const char *column) const;
    bool boolean(const char *column) const;
    QByteArray bytes(const char *column) const;
    QDateTime time(const char *column) const; // UTC, milliseconds
    QJsonObject object(const char *column) const;
    QStringList texts(const char *column) const; // text[] (also of an enum[]::text[])
    Credits credits(const char *column) const { return decimal<Credits>(column); }
    template <class Decimal>
    Decimal decimal(const char *column) const
    {
        const auto value = Decimal::parse(text(column));
        ensure(value.has_value(), column);
        return *value;
    }
    template <class IdType>
    IdType id(const char *column) const
    {
        const auto value = IdType::parse(text(column));
        ensure(value.has_value(), column);
        return *value;
    }
    template <NamedEnum E>
    E value(const char *column) const
    {
        const auto found = fromText<E>(text(column));
        ensure(found.has_value(), column);
        return *found;
    }
    std::optional<QDateTime> maybeTime(const char *column) const;
    std::optional<QString> maybeText(const char *column) const;
    template <class IdType>
    std::optional<IdType> maybeId(const char *column) const
    {
        return isNull(column) ? std::nullopt : std::optional(id<IdType>(column));
    }
    std::optional<Credits> maybeCredits(const char *column) const
    {
        return isNull(column) ? std::nullopt : std::optional(credits(column));
    }
    std::optional<qint64> maybeInteger(const char *column) const
    {
        return isNull(column) ? std::nullopt : std::optional(integer(column));
    }

    bool has(const char *column) const;

private:
    friend class Connection;
    const QVariant &at(const char *column) const;

    std::shared_ptr<const QList<QByteArray>> m_columns; // shared by all rows of a statement
    QVariantList m_values;
};

using Rows = QList<Row>;

class Connection;

// One database connection with its cache of prepared statements. Lives on one worker thread; acts get it by reference.
// Statements are named "<room>.<name>" and stand in backend/<room>/*.sql as blocks headed `-- name: <name>`.
// Every failure of the database throws DatabaseError (db/DatabaseError.h); constraint violations too, with their
// SQLSTATE and constraint name, so that a store can turn the expected ones into refusals. A statement that fails inside
// a Transaction ends it: nothing but leaving its scope works after.
class Session
{
public:
    // Connects at the first use, or at makeReady(). The clock outlives the session. 0 ms is no statement timeout.
    Session(const Target &target, const Clock &clock, int statementTimeout_ms = 30'000);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    Rows rows(const char *statement, Binds binds = {});
    std::optional<Row> first(const char *statement, Binds binds = {}); // the first row, if any
    Row one(const char *statement, Binds binds = {}); // no row is a Bug
    qint64 execute(const char *statement, Binds binds = {}); // rows touched

    // Sends the text as it stands, several statements too; the last one's rows. For migrations, start-up and tests:
    // features use named statements.
    Rows script(const QString &sql);

    // Connects where there is no live connection: after a failure, and after a second of idleness also when the server
    // has closed it meanwhile. Throws DatabaseError when none can be had. Workers call it before each act.
    void makeReady();

    const Clock &clock() const { return m_clock; }
    QDateTime now() const { return m_clock.now(); }

private:
    friend class Transaction;
    std::unique_ptr<Connection> m_connection;
    const Clock &m_clock;
};

// BEGIN … COMMIT around what follows; rolled back when it goes out of scope uncommitted.
// With a user id it also sets the row-level security's user for just this transaction.
class Transaction
{
public:
    explicit Transaction(Session &session);
    Transaction(Session &session, const UserId &user);
    ~Transaction();
    Transaction(const Transaction &) = delete;
    Transaction &operator=(const Transaction &) = delete;
    // After a statement of this transaction failed, a commit is a Bug (PostgreSQL would silently roll back).
    void commit();

private:
    Connection &m_connection;
    bool m_open = true;
};

// A point inside a transaction to which an act's writes can be rolled back without losing the whole.
class Savepoint
{
public:
    explicit Savepoint(Session &session);
    void rollback();

private:
    Session &m_session;
};

} // namespace companion::db
