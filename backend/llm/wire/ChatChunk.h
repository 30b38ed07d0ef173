#pragma once

#include "llm/LanguageModel.h"

#include <QByteArray>

namespace companion::llm {

// Usage as the provider tells it: not yet believed. nullopt where a number is missing or no whole number.
struct ToldUsage
{
    std::optional<qint64> prompt;
    std::optional<qint64> completion;
    std::optional<qint64> total;
    std::optional<CostUsd> cost = {}; // xAI's cost_in_usd_ticks, 10^10 a dollar
};

struct ToldError
{
    int status = 0; // an HTTP status where the error holds one
    QString code = {}; // the provider's code or type; fit for the log
    QString message = {}; // may hold anything, the user's words too
};

// One data line of a stream, or a whole answer of a server that does not stream.
struct ChatChunk
{
    QString text = {};
    QString finishReason = {}; // the provider's own word
    QString model = {};
    std::optional<ToldUsage> usage = {};
    std::optional<ToldError> error = {};
};

// nullopt where it is no JSON object of a known kind.
std::optional<ChatChunk> readChunk(const QByteArray &json);
std::optional<ToldError> readError(const QByteArray &json);

// Ours: stop, length or content_filter.
QString finishReasonOf(const QString &told);

struct SoundUsage
{
    Usage usage;
    bool estimated = false;
};
// Believes what is told where it can be true, else falls back on the estimates. Billed tokens are the provider's total,
// which may exceed prompt + completion (thinking) but not fall below it.
SoundUsage soundUsage(const std::optional<ToldUsage> &told, int estimatedPrompt, int estimatedCompletion,
                      int maxTokens);

// Puts characters together that a provider split between two pieces, and drops NUL, which no database takes.
// A surrogate whose other half never comes becomes U+FFFD.
class WholeCharacters
{
public:
    QString feed(const QString &piece);
    QString end();

private:
    QChar m_pending;
};

} // namespace companion::llm
