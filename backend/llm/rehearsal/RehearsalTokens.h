#pragma once

#include "llm/LanguageModel.h"

namespace companion::llm {

// The rehearsal model's own tokens: a word of up to 24 letters (2 in scripts without blanks), up to 3 digits, 2 ASCII
// symbols, up to 8 blanks, or one other character, each with the one blank before it; never half a surrogate pair.
// Joined, they are the text again.
QStringList rehearsalTokens(const QString &text);

// Each message costs its tokens and 3 more, the reply's start another 3.
int rehearsalPromptTokens(const QList<ChatMessage> &messages);

// The text cut, or gone on with, until it has just `count` tokens.
QStringList exactlyTokens(QStringList tokens, int count);

} // namespace companion::llm
