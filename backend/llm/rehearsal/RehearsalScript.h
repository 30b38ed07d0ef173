#pragma once

#include <QString>
#include <chrono>
#include <optional>

namespace companion::llm {

// What a tester asked of the rehearsal model, by triggers in the last user message. Triggers combine; one that cannot
// be read is ordinary text. Limits: slow 300 s, tokens and cut 100000.
//   [[rehearse: fail]]        the model fails before the first token
//   [[rehearse: slow 5s]]     the reply takes that long, evenly spread over its tokens (500ms, 5s, 1.5s)
//   [[rehearse: cut 20]]      the model fails after 20 tokens
//   [[rehearse: tokens 300]]  a reply of just 300 tokens
//   [[rehearse: say …]]       a reply of just this text
struct RehearsalScript
{
    bool fail = false;
    std::optional<std::chrono::milliseconds> slow;
    std::optional<int> cut;
    std::optional<int> tokens;
    std::optional<QString> say;

    static RehearsalScript parse(const QString &message);
    // The message without anything in [[…]]: what the voice answers to.
    static QString withoutTriggers(const QString &message);
};

} // namespace companion::llm
