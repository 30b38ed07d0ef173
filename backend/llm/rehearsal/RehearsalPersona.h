#pragma once

#include <QString>

namespace companion::llm {

enum class Tone { Warm, Quiet, Playful, Formal, Bold };

// What a system prompt says of the one who is to be played, read from its words.
struct RehearsalPersona
{
    QString name; // "You are Mira": Mira; else the caller's name for it; may be empty
    QString role; // "a retired lighthouse keeper"; may be empty
    QString interest; // "old maps and rain"; may be empty
    Tone tone = Tone::Warm;
    bool spicy = false; // the prompt asks for flirtation

    static RehearsalPersona read(const QString &systemPrompt, const QString &fallbackName);
};

} // namespace companion::llm
