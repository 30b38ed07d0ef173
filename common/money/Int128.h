#pragma once

namespace companion {

// For products of fixed-point factors before they are rounded.
__extension__ using Int128 = __int128;

} // namespace companion
