#include "ops/FileLimit.h"

#include <algorithm>
#include <limits>
#include <sys/resource.h>

namespace companion::ops {

int fileLimit()
{
    rlimit files = {};
    getrlimit(RLIMIT_NOFILE, &files);
    return int(std::min<rlim_t>(files.rlim_cur, std::numeric_limits<int>::max()));
}

void raiseFileLimit()
{
    rlimit files = {};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

} // namespace companion::ops
