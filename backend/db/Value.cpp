#include "common/Ensure.h"
#include "db/Session.h"

#include <QJsonDocument>

namespace companion::db {

Value::Value(double number)
    : m_text(QString::number(number, 'g', 17))
{
}

Value::Value(const QByteArray &bytes)
    : m_text(QStringLiteral("\\x") + QString::fromLatin1(bytes.toHex()))
{
}

Value::Value(const QDateTime &time)
    : m_text(time.toUTC().toString(Qt::ISODateWithMs))
{
    ensure(time.isValid(), "a bound time is valid; NULL is std::nullopt");
}

Value::Value(const QJsonObject &object)
    : m_text(QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact)))
{
}

Value::Value(const QJsonArray &array)
    : m_text(QString::fromUtf8(QJsonDocument(array).toJson(QJsonDocument::Compact)))
{
}

Value::Value(const QStringList &texts)
{
    QStringList quoted;
    quoted.reserve(texts.size());
    for (QString text : texts) {
        text.replace(QStringLiteral("\\"), QStringLiteral("\\\\"))
            .replace(QStringLiteral("\""), QStringLiteral("\\\""));
        quoted << QStringLiteral("\"") + text + QStringLiteral("\"");
    }
    m_text = QStringLiteral("{") + quoted.join(QLatin1Char(',')) + QStringLiteral("}");
}

} // namespace companion::db
