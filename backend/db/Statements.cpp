#include "db/Statements.h"

#include "common/Ensure.h"

#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <algorithm>

using namespace Qt::StringLiterals;

namespace companion::db {

namespace {

bool isNameStart(QChar c)
{
    return (c >= u'a' && c <= u'z') || (c >= u'A' && c <= u'Z') || c == u'_';
}

bool isNamePart(QChar c)
{
    return isNameStart(c) || (c >= u'0' && c <= u'9');
}

// Copies SQL and knows what is text, comment or identifier in it, so that only real placeholders are replaced.
class StatementReader
{
public:
    StatementReader(const QByteArray &name, QStringView text)
        : m_text(text)
        , m_statement{.name = name, .sql = {}, .placeholders = {}}
    {
    }

    Statement read()
    {
        while (m_at < m_text.size())
            step();
        m_statement.sql = m_statement.sql.trimmed();
        ensure(!m_statement.sql.isEmpty(), QByteArray(m_statement.name + " is empty").constData());
        m_statement.preparable = isPreparable();
        ensure(m_statement.preparable || m_statement.placeholders.isEmpty(),
               QByteArray(m_statement.name + ": only SELECT, INSERT, UPDATE, DELETE, MERGE take placeholders")
                   .constData());
        return m_statement;
    }

private:
    void step()
    {
        const QChar c = m_text[m_at];
        if (startsWith(u"--"))
            skipUntil(u"\n");
        else if (startsWith(u"/*"))
            skipBlockComment();
        else if (c == u'\'')
            copyQuoted(c, m_at > 0 && (m_text[m_at - 1] == u'E' || m_text[m_at - 1] == u'e'));
        else if (c == u'"')
            copyQuoted(c, false);
        else if (c == u'$' && (m_at == 0 || !isNamePart(m_text[m_at - 1])))
            copyDollarQuoted();
        else if (startsWith(u"::"))
            copy(2);
        else if (c == u':' && m_at + 1 < m_text.size() && isNameStart(m_text[m_at + 1]))
            replacePlaceholder();
        else if (c == u';')
            endStatement();
        else
            copy(1);
    }

    bool startsWith(QStringView what) const { return m_text.mid(m_at).startsWith(what); }

    void copy(qsizetype count)
    {
        ensure(!m_ended || m_text.mid(m_at, count).trimmed().isEmpty(),
               QByteArray(m_statement.name + " holds more than one statement").constData());
        m_statement.sql += m_text.mid(m_at, count);
        m_at += count;
    }

    void endStatement()
    {
        m_ended = true;
        m_at += 1;
    }

    void skipUntil(QStringView end)
    {
        const auto found = m_text.indexOf(end, m_at);
        m_at = found < 0 ? m_text.size() : found; // the line's end itself is kept
    }

    void skipBlockComment() // they nest in PostgreSQL
    {
        int depth = 0;
        do {
            depth += startsWith(u"/*") ? 1 : startsWith(u"*/") ? -1 : 0;
            m_at += startsWith(u"/*") || startsWith(u"*/") ? 2 : 1;
        } while (depth > 0 && m_at < m_text.size());
        m_statement.sql += u' ';
    }

    void copyQuoted(QChar quote, bool backslashes)
    {
        auto end = m_at + 1;
        while (end < m_text.size() && m_text[end] != quote)
            end += backslashes && m_text[end] == u'\\' ? 2 : 1;
        copy(std::min(end + 1, m_text.size()) - m_at); // '' is two quoted texts in a row, which comes to the same
    }

    void copyDollarQuoted()
    {
        auto end = m_at + 1;
        while (end < m_text.size() && isNamePart(m_text[end]))
            ++end;
        if (end >= m_text.size() || m_text[end] != u'$')
            return copy(1);
        const QStringView tag = m_text.mid(m_at, end + 1 - m_at);
        const auto close = m_text.indexOf(tag, end + 1);
        ensure(close >= 0, QByteArray(m_statement.name + ": a $quote$ is not closed").constData());
        copy(close + tag.size() - m_at);
    }

    void replacePlaceholder()
    {
        auto end = m_at + 1;
        while (end < m_text.size() && isNamePart(m_text[end]))
            ++end;
        const QByteArray placeholder = m_text.mid(m_at + 1, end - m_at - 1).toLatin1();
        if (!m_statement.placeholders.contains(placeholder))
            m_statement.placeholders << placeholder;
        m_at = end;
        m_statement.sql += u'$' + QString::number(m_statement.placeholders.indexOf(placeholder) + 1);
    }

    bool isPreparable() const
    {
        static const QStringList verbs{u"select"_s, u"insert"_s, u"update"_s, u"delete"_s,
                                       u"with"_s,   u"values"_s, u"merge"_s,  u"("_s};
        return std::ranges::any_of(verbs, [this](const QString &verb) {
            return m_statement.sql.startsWith(verb, Qt::CaseInsensitive);
        });
    }

    QStringView m_text;
    qsizetype m_at = 0;
    bool m_ended = false;
    Statement m_statement;
};

} // namespace

QList<Statement> Statements::parse(const QByteArray &room, const QString &text)
{
    static const QRegularExpression head(u"^-- name:[ \\t]*([a-z0-9_]+)[ \\t]*$"_s,
                                         QRegularExpression::MultilineOption);
    static const QRegularExpression wrongHead(u"^--[ \\t]*name:(?![ \\t]*[a-z0-9_]+[ \\t]*$)"_s,
                                              QRegularExpression::MultilineOption);
    ensure(!text.contains(wrongHead), QByteArray(room + ": a malformed `-- name:` line").constData());
    QList<Statement> statements;
    for (auto match = head.match(text); match.hasMatch();) {
        const auto next = head.match(text, match.capturedEnd());
        const auto end = next.hasMatch() ? next.capturedStart() : text.size();
        const QByteArray name = room + '.' + match.captured(1).toLatin1();
        statements
            << StatementReader(name, QStringView(text).mid(match.capturedEnd(), end - match.capturedEnd())).read();
        match = next;
    }
    return statements;
}

const Statements &Statements::embedded()
{
    static const Statements all = [] {
        Statements statements;
        QDirIterator files(u":/sql"_s, {u"*.sql"_s}, QDir::Files, QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            ensure(file.open(QIODevice::ReadOnly), "an embedded file can be read");
            const QByteArray room = files.fileInfo().dir().dirName().toLatin1();
            for (const auto &statement : parse(room, QString::fromUtf8(file.readAll()))) {
                ensure(!statements.m_statements.contains(statement.name),
                       QByteArray(statement.name + " is named twice").constData());
                statements.m_statements.insert(statement.name, statement);
            }
        }
        return statements;
    }();
    return all;
}

const Statement &Statements::find(const QByteArray &name) const
{
    const auto found = m_statements.constFind(name);
    ensure(found != m_statements.cend(), QByteArray("there is no statement " + name).constData());
    return *found;
}

QList<QByteArray> Statements::names() const
{
    auto names = m_statements.keys();
    std::ranges::sort(names);
    return names;
}

} // namespace companion::db
