#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <optional>

namespace companion::payments {

// A JSON object that every reader reads alike. nullopt: no JSON, no object, nested deeper than 64, or an object in it
// with one name twice (of which one parser takes the first and another the last).
std::optional<QJsonObject> readSoundJson(const QByteArray &text);

} // namespace companion::payments
