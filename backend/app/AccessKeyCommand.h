#pragma once

#include "app/Command.h"

namespace companion::app {

// `access-key create|list|revoke`. args: what follows "access-key".
ParsedCommand accessKeyCommand(const QStringList &args);

} // namespace companion::app
