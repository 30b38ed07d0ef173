#pragma once

#include "memory/MemoryService.h"

namespace companion::api {
class Api;
}

namespace companion::memory {

// /memories and /memory-receipts: what is remembered of a user, for that user to see, correct and have forgotten.
// `changed`: something was put into the queue.
void addMemoryRoutes(api::Api &api, const MemoryService &memories, std::function<void()> changed);

} // namespace companion::memory
