#pragma once

#include "app/Command.h"

namespace companion::app {

// `serve`: the backend, until SIGINT or SIGTERM. args: what follows "serve".
Outcome serve(const QStringList &args);

} // namespace companion::app
