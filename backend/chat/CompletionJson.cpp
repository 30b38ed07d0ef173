#include "chat/CompletionJson.h"

#include "common/describe/Json.h"

#include <QJsonArray>
#include <algorithm>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

QJsonObject head(const MessageId &message, const char *object, const QString &model, const QDateTime &created)
{
    return {{u"id"_s, QString(u"chatcmpl-"_s + message.toString())},
            {u"object"_s, QString::fromLatin1(object)},
            {u"created"_s, created.toSecsSinceEpoch()},
            {u"model"_s, model}};
}

QJsonObject chunk(const MessageId &message, const QString &model, const QDateTime &created, const QJsonObject &delta,
                  const QJsonValue &finishReason = QJsonValue::Null)
{
    QJsonObject object = head(message, "chat.completion.chunk", model, created);
    object.insert(u"choices"_s,
                  QJsonArray{QJsonObject{{u"index"_s, 0}, {u"delta"_s, delta}, {u"finish_reason"_s, finishReason}}});
    return object;
}

// OpenAI's own words; "stopped" is ours and ends a reply as well as any other stop.
QString wireFinishReason(const QString &reason)
{
    return reason == u"stopped" ? u"stop"_s : reason;
}

} // namespace

qsizetype characterAt(const QByteArray &utf8, qint64 byte)
{
    auto at = static_cast<qsizetype>(std::clamp<qint64>(byte, 0, utf8.size()));
    while (at < utf8.size() && (static_cast<unsigned char>(utf8[at]) & 0xC0) == 0x80)
        ++at;
    return at;
}

QJsonObject completionObject(const Outcome &outcome)
{
    QJsonObject object = head(outcome.message, "chat.completion", outcome.model, outcome.createdAt);
    const QJsonObject message{{u"role"_s, u"assistant"_s}, {u"content"_s, outcome.content}};
    object.insert(u"choices"_s,
                  QJsonArray{QJsonObject{{u"index"_s, 0},
                                         {u"message"_s, message},
                                         {u"finish_reason"_s, wireFinishReason(outcome.finishReason)}}});
    object.insert(u"usage"_s, toJson(outcome.usage));
    object.insert(u"companion"_s, toJson(outcome.companion));
    return object;
}

QJsonObject openingChunk(const MessageId &message, const std::optional<SessionId> &session, const QString &model,
                         const QDateTime &created)
{
    QJsonObject object = chunk(message, model, created, {{u"role"_s, u"assistant"_s}, {u"content"_s, u""_s}});
    QJsonObject companion{{u"message_id"_s, message.toString()}};
    if (session)
        companion.insert(u"session_id"_s, session->toString());
    object.insert(u"companion"_s, companion);
    return object;
}

QJsonObject textChunk(const MessageId &message, const QString &model, const QDateTime &created, const QString &delta)
{
    return chunk(message, model, created, {{u"content"_s, delta}});
}

QJsonObject closingChunk(const Outcome &outcome)
{
    QJsonObject object =
        chunk(outcome.message, outcome.model, outcome.createdAt, {}, wireFinishReason(outcome.finishReason));
    object.insert(u"usage"_s, toJson(outcome.usage));
    object.insert(u"companion"_s, toJson(outcome.companion));
    return object;
}

QJsonObject usageChunk(const Outcome &outcome)
{
    QJsonObject object = head(outcome.message, "chat.completion.chunk", outcome.model, outcome.createdAt);
    object.insert(u"choices"_s, QJsonArray());
    object.insert(u"usage"_s, toJson(outcome.usage));
    return object;
}

QJsonObject answerToKeep(const Outcome &outcome)
{
    return {{u"model"_s, outcome.model},
            {u"created"_s, json::timeText(outcome.createdAt)},
            {u"finish_reason"_s, outcome.finishReason},
            {u"usage"_s, toJson(outcome.usage)},
            {u"companion"_s, toJson(outcome.companion)}};
}

void readKeptAnswer(const QJsonObject &answer, Outcome &outcome)
{
    outcome.model = answer.value(u"model"_s).toString();
    outcome.createdAt = json::parseTime(answer.value(u"created"_s).toString()).value_or(outcome.createdAt);
    outcome.finishReason = answer.value(u"finish_reason"_s).toString();
    const auto usage = fromJson<Usage>(answer.value(u"usage"_s), UnknownFields::Ignore);
    const auto companion = fromJson<CompanionPart>(answer.value(u"companion"_s), UnknownFields::Ignore);
    ensure(usage && companion, "a kept answer reads as it was written");
    outcome.usage = *usage;
    outcome.companion = *companion;
}

QJsonObject refusalToKeep(const Refusal &refusal)
{
    QJsonObject kept{{u"code"_s, QString::fromLatin1(describe(refusal.code).name)}, {u"detail"_s, refusal.detail}};
    if (refusal.required)
        kept.insert(u"required"_s, refusal.required->toString());
    if (refusal.available)
        kept.insert(u"available"_s, refusal.available->toString());
    return kept;
}

Refusal readKeptRefusal(const QJsonObject &kept)
{
    Refusal refusal{.detail = kept.value(u"detail"_s).toString()};
    for (const ErrorDescription &error : allErrors())
        if (kept.value(u"code"_s).toString() == QLatin1StringView(error.name))
            refusal.code = error.code;
    refusal.required = Credits::parse(kept.value(u"required"_s).toString());
    refusal.available = Credits::parse(kept.value(u"available"_s).toString());
    return refusal;
}

} // namespace companion::chat
