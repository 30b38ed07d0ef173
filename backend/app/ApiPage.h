#pragma once

#include <QByteArray>

namespace companion::app {

// The readable API page: one file that holds its own style and script and loads nothing but /api/v1/openapi.json of
// this server.
struct ApiPage
{
    QByteArray html;
    QByteArray policy; // Content-Security-Policy: exactly this style and this script, nothing else from anywhere
};
ApiPage apiPage();

} // namespace companion::app
