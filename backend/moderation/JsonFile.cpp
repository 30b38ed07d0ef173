#include "moderation/JsonFile.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>

namespace companion::moderation {

std::expected<QJsonObject, QString> readJsonFile(const QString &path)
{
    const QString name = QFileInfo(path).fileName();
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return std::unexpected(QStringLiteral("%1: %2").arg(name, file.errorString()));
    return readJson(name, file.readAll());
}

std::expected<QJsonObject, QString> readJson(const QString &name, const QByteArray &bytes)
{
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(bytes, &error);
    if (error.error != QJsonParseError::NoError)
        return std::unexpected(QStringLiteral("%1: %2 at byte %3").arg(name, error.errorString()).arg(error.offset));
    if (!document.isObject())
        return std::unexpected(QStringLiteral("%1: must hold an object").arg(name));
    return document.object();
}

} // namespace companion::moderation
