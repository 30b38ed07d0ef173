#pragma once

#include "llm/LanguageModel.h"

namespace companion::llm {

// "I miss my old flat." → "you miss your old flat": what the user said of themselves, turned round, without its end
// mark. Empty where there is no such sentence, or turning it would go wrong (it speaks of "you").
QString echoOf(const QString &message);

// What the user told in earlier messages of the window.
struct RehearsalMemory
{
    QString userName;
    QStringList facts; // turned round, oldest first: "you love hiking", "your dog is called Rex"

    static RehearsalMemory read(const QStringList &userMessages);
};

} // namespace companion::llm
