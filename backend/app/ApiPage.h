#pragma once

#include <QByteArray>
#include <QJsonObject>

namespace companion::app {

// The OpenAPI document as one readable HTML page that loads nothing from anywhere.
QByteArray apiPage(const QJsonObject &document);

} // namespace companion::app
