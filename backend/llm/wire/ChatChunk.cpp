#include "llm/wire/ChatChunk.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

namespace companion::llm {

namespace {

constexpr qint64 noMoreThan = 10'000'000; // tokens: beyond any context window

std::optional<qint64> wholeNumber(const QJsonValue &value)
{
    const qint64 number = value.toInteger(-1);
    return value.isDouble() && number >= 0 ? std::optional(number) : std::nullopt;
}

std::optional<CostUsd> costOf(const QJsonObject &usage)
{
    constexpr qint64 thousandDollars = 10'000'000'000'000;
    const auto ticks = wholeNumber(usage[QLatin1StringView("cost_in_usd_ticks")]);
    return ticks && *ticks <= thousandDollars ? std::optional(CostUsd::fromUnits(*ticks)) : std::nullopt;
}

std::optional<ToldUsage> usageOf(const QJsonObject &answer)
{
    const QJsonValue value = answer[QLatin1StringView("usage")];
    if (!value.isObject())
        return std::nullopt;
    const QJsonObject usage = value.toObject();
    return ToldUsage{.prompt = wholeNumber(usage[QLatin1StringView("prompt_tokens")]),
                     .completion = wholeNumber(usage[QLatin1StringView("completion_tokens")]),
                     .total = wholeNumber(usage[QLatin1StringView("total_tokens")]),
                     .cost = costOf(usage)};
}

    // {"error":{"message","type","code"}}, xAI's {"code","error":"text"}, or {"error":"text"}.
std::optional<ToldError> errorOf(const QJsonObject &answer)
{
    const QJsonValue error = answer[QLatin1StringView("error")];
    if (error.isString())
        return ToldError{.code = answer[QLatin1StringView("code")].toString(), .message = error.toString()};
    if (!error.isObject())
        return std::nullopt;
    const QJsonObject object = error.toObject();
    const QJsonValue code = object[QLatin1StringView("code")];
    const QString type = object[QLatin1StringView("type")].toString();
    return ToldError{.status = code.isDouble() ? code.toInt() : object[QLatin1StringView("status")].toInt(),
                     .code = code.isString() ? code.toString() : type,
                     .message = object[QLatin1StringView("message")].toString()};
}

QJsonObject firstChoice(const QJsonObject &answer)
{
    for (const QJsonValue &choice : answer[QLatin1StringView("choices")].toArray()) {
        if (choice[QLatin1StringView("index")].toInt(0) == 0)
            return choice.toObject();
    }
    return {};
}

std::optional<QJsonObject> objectOf(const QByteArray &json)
{
    const QJsonDocument document = QJsonDocument::fromJson(json);
    return document.isObject() ? std::optional(document.object()) : std::nullopt;
}

} // namespace

std::optional<ChatChunk> readChunk(const QByteArray &json)
{
    const auto answer = objectOf(json);
    if (!answer)
        return std::nullopt;
    ChatChunk chunk{.model = (*answer)[QLatin1StringView("model")].toString(),
                    .usage = usageOf(*answer),
                    .error = errorOf(*answer)};
    if (!chunk.error && !(*answer)[QLatin1StringView("choices")].isArray() && !chunk.usage)
        return std::nullopt;
    const QJsonObject choice = firstChoice(*answer);
    const QJsonObject said = choice.contains(QLatin1StringView("delta"))
        ? choice[QLatin1StringView("delta")].toObject()
        : choice[QLatin1StringView("message")].toObject();
    chunk.text = said[QLatin1StringView("content")].toString() + said[QLatin1StringView("refusal")].toString();
    chunk.finishReason = choice[QLatin1StringView("finish_reason")].toString();
    return chunk;
}

std::optional<ToldError> readError(const QByteArray &json)
{
    const auto answer = objectOf(json);
    return answer ? errorOf(*answer) : std::nullopt;
}

QString finishReasonOf(const QString &told)
{
    if (told == QLatin1StringView("length") || told == QLatin1StringView("max_tokens"))
        return QStringLiteral("length");
    return told == QLatin1StringView("content_filter") ? told : QStringLiteral("stop");
}

SoundUsage soundUsage(const std::optional<ToldUsage> &told, int estimatedPrompt, int estimatedCompletion, int maxTokens)
{
    // Generous: a provider may add a hidden prompt of its own, and think without counting it against max_tokens.
    const qint64 most = std::min(noMoreThan, 100'000 + 20 * (qint64(estimatedPrompt) + maxTokens));
    const bool believable = told && told->prompt && told->completion && *told->prompt <= most
        && *told->completion <= most && *told->prompt + *told->completion > 0;
    const qint64 prompt = believable ? *told->prompt : estimatedPrompt;
    const qint64 completion = believable ? *told->completion : estimatedCompletion;
    const qint64 sum = prompt + completion;
    const bool totalBelievable = believable && told->total && *told->total >= sum && *told->total <= most;
    return {.usage = {int(prompt), int(completion), int(totalBelievable ? *told->total : sum)},
            .estimated = !believable};
}

QString WholeCharacters::feed(const QString &piece)
{
    QString whole;
    whole.reserve(piece.size() + 1);
    for (const QChar c : piece) {
        const bool completes = c.isLowSurrogate() && m_pending.isHighSurrogate();
        if (!m_pending.isNull())
            whole.append(completes ? m_pending : QChar(QChar::ReplacementCharacter));
        m_pending = c.isHighSurrogate() ? c : QChar();
        if (c.isLowSurrogate() && !completes)
            whole.append(QChar(QChar::ReplacementCharacter));
        else if (!c.isHighSurrogate() && !c.isNull())
            whole.append(c);
    }
    return whole;
}

QString WholeCharacters::end()
{
    const bool lost = !std::exchange(m_pending, QChar()).isNull();
    return lost ? QString(QChar(QChar::ReplacementCharacter)) : QString();
}

} // namespace companion::llm
