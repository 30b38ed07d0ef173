#pragma once

#include <QByteArray>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// A fuzz target is one function over bytes: LLVMFuzzerTestOneInput. libFuzzer drives it (preset fuzz, tools/fuzz), and
// in every other build replay_main.cpp does, with the committed corpus and a few mutations of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace companion::fuzz {

// What must hold for every input. Ends the process, so that the fuzzer keeps the input.
inline void must(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

inline QByteArray bytesOf(const std::uint8_t *data, std::size_t size)
{
    return QByteArray(reinterpret_cast<const char *>(data), qsizetype(size));
}

} // namespace companion::fuzz
