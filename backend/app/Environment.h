#pragma once

#include "app/Command.h"
#include "app/Configuration.h"

#include <QTextStream>

namespace companion::app {

// What is worth knowing though nothing is wrong concerns who starts the server, not every short command.
enum class Notices { Keep, Tell };

// The configuration for a command, with its --data and other settings of its command line; or its mistakes, all at
// once.
std::expected<Configuration, Outcome> configurationFor(const QMap<QString, QString> &commandLine,
                                                       Notices notices = Notices::Keep);

// Lines for the person at the terminal, on stderr: progress and notices.
void tell(const QString &line);

} // namespace companion::app
