#include "common/Ensure.h"
#include "db/Session.h"

#include <QJsonDocument>

namespace companion::db {

namespace {

// {plain,"with \"quotes\"",NULL}; one dimension, which is all we store. A NULL element reads as "".
QStringList arrayTexts(const QString &literal, const char *column)
{
    ensure(literal.startsWith(u'{') && literal.endsWith(u'}'), column);
    QStringList texts;
    QString text;
    bool quoted = false;
    bool wasQuoted = false;
    for (qsizetype i = 1; i < literal.size(); ++i) {
        const QChar c = literal[i];
        if (quoted && c == u'\\') {
            text += literal[++i];
        } else if (c == u'"') {
            quoted = !quoted;
            wasQuoted = true;
        } else if (!quoted && (c == u',' || c == u'}')) {
            if (c == u',' || wasQuoted || !text.isEmpty() || !texts.isEmpty())
                texts << (!wasQuoted && text == u"NULL" ? QString() : text);
            text.clear();
            wasQuoted = false;
        } else {
            text += c;
        }
    }
    return texts;
}

} // namespace

bool Row::has(const char *column) const
{
    return m_columns && m_columns->contains(QByteArray::fromRawData(column, qsizetype(qstrlen(column))));
}

const QVariant &Row::at(const char *column) const
{
    ensure(m_columns != nullptr, column);
    const auto index = m_columns->indexOf(QByteArray::fromRawData(column, qsizetype(qstrlen(column))));
    ensure(index >= 0, column);
    return m_values[index];
}

bool Row::isNull(const char *column) const
{
    return at(column).isNull();
}

QString Row::text(const char *column) const
{
    return at(column).toString();
}

qint64 Row::integer(const char *column) const
{
    bool ok = false;
    const qint64 number = at(column).toLongLong(&ok); // QPSQL hands int8 over as qulonglong when it is positive
    ensure(ok && !at(column).isNull(), column);
    return number;
}

double Row::number(const char *column) const
{
    bool ok = false;
    const double number = at(column).toDouble(&ok);
    ensure(ok && !at(column).isNull(), column);
    return number;
}

bool Row::boolean(const char *column) const
{
    const QVariant &value = at(column);
    ensure(value.typeId() == QMetaType::Bool && !value.isNull(), column);
    return value.toBool();
}

QByteArray Row::bytes(const char *column) const
{
    const QVariant &value = at(column);
    ensure(value.isNull() || value.typeId() == QMetaType::QByteArray, column);
    return value.toByteArray();
}

QDateTime Row::time(const char *column) const
{
    const QVariant &value = at(column);
    const QDateTime time = value.typeId() == QMetaType::QDate ? QDateTime(value.toDate(), QTime(0, 0), Qt::UTC)
                                                              : value.toDateTime().toUTC();
    ensure(time.isValid(), column);
    return time;
}

QJsonObject Row::object(const char *column) const
{
    const QJsonDocument document = QJsonDocument::fromJson(at(column).toString().toUtf8());
    ensure(document.isObject(), column);
    return document.object();
}

QStringList Row::texts(const char *column) const
{
    return arrayTexts(at(column).toString(), column);
}

std::optional<QDateTime> Row::maybeTime(const char *column) const
{
    return isNull(column) ? std::nullopt : std::optional(time(column));
}

std::optional<QString> Row::maybeText(const char *column) const
{
    return isNull(column) ? std::nullopt : std::optional(text(column));
}

} // namespace companion::db
