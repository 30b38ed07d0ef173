#pragma once

#include <QByteArrayView>

namespace companion::memory {

// resources/memory/word-vectors.bin; tools/make-word-vectors says how it is laid out. Aligned to 64 bytes.
QByteArrayView wordTableBytes();

} // namespace companion::memory
