#pragma once

#include "memory/retrieval/Corpus.h"
#include "memory/retrieval/Facts.h"

#include <functional>

namespace companion::memory {

// A recalled turn with its words.
struct RecalledText
{
    QString text;
    Speaker speaker = Speaker::User;
    QDateTime saidAt;
};

struct PromptBlock
{
    QString text;  // empty where there is nothing to say
    int memories = 0; // how many were taken
    int facts = 0;
    int tokens = 0;
};

// The memories as a block of the prompt: facts first, then turns in the order of time with date and speaker, dates
// within them resolved ("last Friday [5 May 2023]"). What is best is kept where the budget is short. The texts are
// quoted data: delimited by marks that they cannot contain, one line each, and introduced as not being instructions.
// `turns` best first; `tokensOf` is the llm room's estimate.
PromptBlock renderMemories(const std::vector<RecalledText> &turns, const std::vector<Fact> &facts, int budget_tokens,
                           const QDateTime &now, const std::function<int(QStringView)> &tokensOf,
                           const QString &companionName);

} // namespace companion::memory
