#pragma once

#include "app/Command.h"

namespace companion::app {

// signing-keys list, rotate, replace: what signs the access tokens.
ParsedCommand signingKeysCommand(const QStringList &args);

} // namespace companion::app
