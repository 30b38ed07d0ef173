#include "common/Ensure.h"

#include "common/Bug.h"

#include <string>

namespace companion {

void reportBug(const char *what, const std::source_location &where)
{
    throw Bug(std::string(what) + " (" + where.file_name() + ":" + std::to_string(where.line()) + ")");
}

} // namespace companion
