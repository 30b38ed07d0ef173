#pragma once

#include "memory/retrieval/Dates.h"
#include "memory/retrieval/Terms.h"

namespace companion::memory {

// All that ranking needs of a memory's text, made once when it is stored, so that fifty thousand of them are loaded
// without reading their text again: the terms, the dates it names and a mark that finds repetitions.
struct Digest
{
    Terms terms;
    std::vector<DateSpan> dates;
    quint64 sameness = 0; // equal for texts that differ only in case, spacing and punctuation
    bool isQuestion = false;
    bool operator==(const Digest &) const = default;
};

// `said` is the day (in the user's zone, where known) on which it was said.
Digest digestOf(QStringView text, const QDate &said);

// Four bytes a term, eight a date, fourteen besides. decode() gives nothing for bytes of another version or that are
// not whole: make it again.
QByteArray encode(const Digest &digest);
std::optional<Digest> decodeDigest(QByteArrayView bytes);

} // namespace companion::memory
