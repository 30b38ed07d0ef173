#pragma once

#include "app/Command.h"

namespace companion::app {

// `user set EMAIL …`. args: what follows "user".
ParsedCommand userCommand(const QStringList &args);

} // namespace companion::app
