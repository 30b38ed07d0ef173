#pragma once

#include "common/Result.h"
#include "common/models/Chat.h"

#include <QObject>

namespace companion::llm {

struct ChatMessage
{
    enum class Role { System, User, Assistant } role = Role::User;
    QString content;
};

struct Request
{
    QString model = {}; // empty: the provider's default
    QList<ChatMessage> messages;
    int maxTokens = 512;
    std::optional<double> temperature = {};
    QString endUser = {}; // a pseudonym for the provider's abuse reports
    QString personaName = {}; // for the rehearsal model's voice only; never sent
    std::optional<int> promptEstimate = {}; // estimateTokens(messages), where the caller knows it already
    int priority = 0; // the higher goes first while all connections to the provider are busy
};

struct Completion
{
    QString text;
    QString finishReason; // stop, length, content_filter; "stopped" when stop() ended it
    Usage usage;
    bool usageEstimated = false; // the provider told none, or was stopped before it did
    std::optional<CostUsd> cost; // what the provider says it bills
    QString model;               // that answered
    bool rehearsal = false;      // no language model wrote it
    int firstToken_ms = 0;
    int total_ms = 0;
    bool operator==(const Completion &) const = default;
};

// One running generation. Lives on the loop thread and deletes itself after finished(). finished() comes exactly once,
// never from inside start(). A refusal is model_failed, model_timeout or overloaded.
class Generation : public QObject
{
    Q_OBJECT
public:
    // Ends it early: finished() follows with what was produced (finishReason "stopped").
    virtual void stop() = 0;

Q_SIGNALS:
    void text(const QString &delta); // never empty, never half a character
    void finished(const companion::Result<companion::llm::Completion> &completion);
};

// Something that answers chats. Loop thread only.
class LanguageModel : public QObject
{
    Q_OBJECT
public:
    virtual Generation *start(const Request &request) = 0;
    virtual QString name() const = 0;
    virtual bool isRehearsal() const { return false; }
    // ok, degraded or down with one line of why: for /health/ready and the console.
    virtual std::pair<QString, QString> health() const = 0;
};

// An upper-leaning estimate of what the provider will count for this prompt, message overhead included.
int estimateTokens(const QList<ChatMessage> &messages);
int estimateTokens(QStringView text);

} // namespace companion::llm
