// The table as bytes of the program itself: mapped with it, shared by all processes, read where it lies.
#include "memory/embedders/WordTable.h"

asm(".section .rodata\n"
    ".balign 64\n"
    ".globl companion_word_vectors\n"
    "companion_word_vectors:\n"
    ".incbin \"" COMPANION_WORD_VECTORS "\"\n"
    ".globl companion_word_vectors_end\n"
    "companion_word_vectors_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" const char companion_word_vectors[];     // NOLINT(readability-identifier-naming)
extern "C" const char companion_word_vectors_end[]; // NOLINT(readability-identifier-naming)

namespace companion::memory {

QByteArrayView wordTableBytes()
{
    return {companion_word_vectors, companion_word_vectors_end};
}

} // namespace companion::memory
