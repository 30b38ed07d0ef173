#pragma once

namespace companion::ops {

// File descriptors that this process may have open at once.
int fileLimit();
// As many as the system allows it to allow itself; the usual 1,024 would be reached long before any limit of ours.
void raiseFileLimit();

} // namespace companion::ops
