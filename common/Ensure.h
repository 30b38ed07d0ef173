#pragma once

#include <source_location>

namespace companion {

// A broken invariant of our own: never the caller's fault, never the network's. On in release builds too.
// Throws Bug, which the one catch around dispatch turns into a 500 and an error report.
class Bug;

[[noreturn]] void reportBug(const char *what, const std::source_location &where);

inline void ensure(bool condition, const char *what,
                   const std::source_location &where = std::source_location::current())
{
    if (!condition) [[unlikely]]
        reportBug(what, where);
}

} // namespace companion
