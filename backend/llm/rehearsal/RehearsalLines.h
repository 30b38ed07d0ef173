#pragma once

#include "llm/rehearsal/RehearsalPersona.h"

#include <QStringList>

namespace companion::llm {

// What the user's message is after. The order is the order in which they are recognised.
enum class Intent {
    Distress, // speaks of not wanting to live: kindness, never play
    AskAi, // "are you real?": always the truth
    AskMemory, // "what is my name?"
    German,
    Spanish,
    Goodbye,
    Flirt,
    Thanks,
    Compliment,
    Sad,
    Happy,
    Worried,
    Advice,
    Story,
    Plans,
    AskMood, // "how are you?"
    AskSelf, // "tell me about yourself"
    Greeting,
    Question,
    Statement,
    Unclear,
};

Intent intentOf(const QString &message);

// The lines for an intent in a tone. Placeholders: {me} {name} {echo} {role} {interest} {facts}. A line is only usable
// where all of its placeholders can be filled; each list has at least one line that needs none.
QStringList linesFor(Intent intent, const RehearsalPersona &persona);
QStringList openingsFor(Tone tone);
QStringList questionsFor(Intent intent, Tone tone); // may be empty: nothing to ask back
QStringList recallLines(); // hold {fact}

} // namespace companion::llm
