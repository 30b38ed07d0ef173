#pragma once

#include <QByteArray>
#include <QHash>
#include <QList>
#include <QString>

namespace companion::db {

// One named statement, ready to be prepared: its :placeholders are numbered $1, $2, … (the same name, the same number),
// its comments are gone.
struct Statement
{
    QByteArray name; // "room.name"
    QString sql;
    QList<QByteArray> placeholders; // in the order of their numbers
    bool preparable = true; // SELECT and the data changing ones; LOCK, SET and the like are sent as they are
};

// Every statement of every room that is linked into this program (resources under :/sql/<room>/*.sql).
//
// A file is a sequence of blocks, each headed by a line `-- name: find_user`. What is in quotes, $$…$$ and comments is
// left alone; `::type` is a cast, `:name` a placeholder. A block holds one statement; the closing semicolon is
// optional.
class Statements
{
public:
    // Read once, at first use; a malformed file or a name given twice is a Bug. Safe from any thread.
    static const Statements &embedded();
    // The blocks of one file.
    static QList<Statement> parse(const QByteArray &room, const QString &text);

    const Statement &find(const QByteArray &name) const; // an unknown name is a Bug
    QList<QByteArray> names() const;

private:
    QHash<QByteArray, Statement> m_statements;
};

} // namespace companion::db
