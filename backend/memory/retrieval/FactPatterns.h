#pragma once

#include "memory/retrieval/Facts.h"

#include <QRegularExpression>

namespace companion::memory {

// One way of stating a fact. The expression is matched within a sentence, without regard to case; its groups:
// value (what is stated), who (a relation or an animal: the subject), fixed by `value` where there is no such group.
struct FactPattern
{
    enum class Check {
        None,
        Occupation, // the value's last word is an occupation
        Place,
        Taste,
        NameOf, // starts with a capital, and is no common word
        Dated,  // only with a date in the sentence, which becomes `on`
    };
    FactKind kind = FactKind::Name;
    QRegularExpression expression;
    double confidence = 0.8;
    Check check = Check::None;
    bool ended = false;
    QString value;   // where the expression has no such group
    QString subject; // likewise
};

const std::vector<FactPattern> &factPatterns();
bool isOccupation(const QString &words); // "a nurse", "senior software engineer"

} // namespace companion::memory
