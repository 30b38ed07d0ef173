#pragma once

#include "db/DatabaseError.h"
#include "db/Session.h"
#include "db/Statements.h"

#include <QElapsedTimer>
#include <QHash>
#include <QSqlQuery>

namespace companion::db {

// What QPSQL (Qt 6.4) gets wrong is kept in here. Statements are prepared and executed by our own PREPARE and EXECUTE:
// QPSQL's parser knows neither :: nor jsonb's ?, repeats a parameter for each mention, and executes nonsense after a
// failed prepare. Values go as untyped literals, so that PostgreSQL infers the type exactly as for $n.
class Connection
{
public:
    Connection(const Target &target, int statementTimeout_ms);
    ~Connection();
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    struct Answer
    {
        Rows rows;
        qint64 touched = 0;
    };
    Answer execute(const char *statement, Binds binds);
    Answer script(const QString &sql);
    void makeReady();

    void begin(const UserId *user);
    void commit();
    void rollback() noexcept;

private:
    struct Prepared
    {
        const Statement *statement = nullptr;
        QString name;
        std::shared_ptr<const QList<QByteArray>> columns; // known after the first answer
    };
    void open();
    void close();
    enum class Fetch { Whole, RowByRow };
    QSqlQuery send(const QString &sql, Fetch fetch = Fetch::Whole);
    [[noreturn]] void fail(const class QSqlError &error);
    Prepared &prepared(const char *name);
    QString executeText(const Prepared &prepared, Binds binds) const;
    Answer sendPrepared(Prepared &prepared, Binds binds);
    static Answer read(QSqlQuery &query, std::shared_ptr<const QList<QByteArray>> &columns);

    const Target m_target;
    const int m_statementTimeout_ms;
    const QString m_name; // of the QSqlDatabase: one per connection, unique in the process
    bool m_open = false;
    bool m_inTransaction = false;
    bool m_failed = false; // a statement of the open transaction failed
    int m_preparedCount = 0;
    QHash<QByteArray, Prepared> m_prepared;
    QElapsedTimer m_lastUsed;
};

} // namespace companion::db
