#pragma once

#include "common/Clock.h"
#include "common/Ids.h"
#include "common/describe/EnumText.h"
#include "common/money/Credits.h"

#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QStringList>
#include <QVariant>
#include <memory>
#include <optional>

namespace companion::db {

// A value bound to a :placeholder. Times go as UTC text with milliseconds, decimals as text (the statement casts with
// ::numeric where the type cannot be inferred), QJsonObject as text (cast ::jsonb), QStringList as a text[] literal.
// A null QString is bound as '' and never as NULL: NULL is std::nullopt.
class Value
{
public:
    Value(std::nullopt_t);
    Value(const QString &text);
    Value(const char *text) : Value(QString::fromUtf8(text)) {}
    Value(int number);
    Value(qint64 number);
    Value(bool flag);
    Value(double number);
    Value(const QByteArray &bytes); // bytea
    Value(const QDateTime &time);
    Value(const QJsonObject &object);
    Value(const QStringList &texts);
    template <class Tag>
    Value(const Id<Tag> &id) : Value(id.toString()) {}
    template <class Tag, int Places>
    Value(FixedPoint<Tag, Places> amount) : Value(amount.toString()) {}
    template <NamedEnum E>
    Value(E value) : Value(toText(value)) {}
    template <class T>
    Value(const std::optional<T> &maybe) : Value(maybe ? Value(*maybe) : Value(std::nullopt)) {}

    const QVariant &variant() const { return m_variant; }

private:
    QVariant m_variant;
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

private:
    friend class Session;
    struct Columns;
    std::shared_ptr<const Columns> m_columns;
    QVariantList m_values;
};

using Rows = QList<Row>;

// One database connection with its cache of prepared statements. Lives on one worker thread; acts get it by reference.
// Statements are named "<room>.<name>" and stand in backend/<room>/*.sql as blocks headed `-- name: <name>`.
// Every failure of the database throws DatabaseError (db/DatabaseError.h); constraint violations too, with their
// SQLSTATE and constraint name, so that a store can turn the expected ones into refusals.
class Session
{
public:
    virtual ~Session() = default;

    Rows rows(const char *statement, Binds binds = {});
    std::optional<Row> first(const char *statement, Binds binds = {}); // the first row, if any
    Row one(const char *statement, Binds binds = {});                  // no row is a Bug
    qint64 execute(const char *statement, Binds binds = {});           // rows touched

    const Clock &clock() const;
    QDateTime now() const { return clock().now(); }

private:
    friend class Transaction;
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
    void commit();

private:
    Session &m_session;
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
