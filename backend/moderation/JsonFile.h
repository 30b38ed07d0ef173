#pragma once

#include <QJsonObject>
#include <QString>
#include <expected>

namespace companion::moderation {

// A JSON object from bytes; `name` says of which file.
std::expected<QJsonObject, QString> readJson(const QString &name, const QByteArray &bytes);
// A JSON object from a file, or one line that says what is wrong, the file's name in front.
std::expected<QJsonObject, QString> readJsonFile(const QString &path);

} // namespace companion::moderation
