#pragma once

#include "app/Command.h"

namespace companion::app {

// `demo`: sixty days in the life of a small service, made through the real services with a simulated clock: sign-ups,
// chats with the rehearsal model, daily refreshes, purchases, subscriptions. Refuses a database that has users already.
Outcome demo(const QStringList &args);

} // namespace companion::app
