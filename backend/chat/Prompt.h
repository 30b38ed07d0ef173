#pragma once

#include "common/models/Chat.h"
#include "llm/LanguageModel.h"

namespace companion::chat {

struct PromptParts
{
    const Persona &persona;
    Mode mode = Mode::Normal;
    QString userName;                  // may be empty
    QList<llm::ChatMessage> before = {}; // the sliding window, oldest first
    QString message;
    QString memories = {}; // what is remembered of the user, as a block of text; may be empty
};

// The persona's system prompt for the mode, how it speaks, the house rules, what is remembered, then the conversation.
// A conversation that only begins is opened by the persona's greeting, as the client showed it.
QList<llm::ChatMessage> buildPrompt(const PromptParts &parts);
// Where in that prompt's first text the instructions end and what is remembered begins. A reply may quote the latter.
qsizetype instructionsSize(const QList<llm::ChatMessage> &prompt, const PromptParts &parts);

} // namespace companion::chat
