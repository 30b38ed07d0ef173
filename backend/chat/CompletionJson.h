#pragma once

#include "chat/Turn.h"

#include <QJsonObject>

namespace companion::chat {

// The OpenAI objects that answers are made of, ours with `companion`.
// The start of the first whole character at or after `byte` bytes of UTF-8: where a returning client goes on.
qsizetype characterAt(const QByteArray &utf8, qint64 byte);

QJsonObject completionObject(const Outcome &outcome);
// The first chunk, before any text.
QJsonObject openingChunk(const MessageId &message, const std::optional<SessionId> &session, const QString &model,
                         const QDateTime &created);
QJsonObject textChunk(const MessageId &message, const QString &model, const QDateTime &created, const QString &delta);
// The last chunk: finish reason, usage, companion.
QJsonObject closingChunk(const Outcome &outcome);
QJsonObject usageChunk(const Outcome &outcome); // choices: []

// What chat_turns keeps of an ended turn beside its text, and back.
QJsonObject answerToKeep(const Outcome &outcome);
void readKeptAnswer(const QJsonObject &answer, Outcome &outcome);
QJsonObject refusalToKeep(const Refusal &refusal);
Refusal readKeptRefusal(const QJsonObject &kept);

} // namespace companion::chat
