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
};

// The persona's system prompt for the mode, the house rules, how it speaks, then the conversation. A conversation that
// only begins is opened by the persona's greeting, as the client showed it.
QList<llm::ChatMessage> buildPrompt(const PromptParts &parts);

} // namespace companion::chat
