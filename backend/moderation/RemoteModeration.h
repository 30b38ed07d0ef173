#pragma once

#include "moderation/Screen.h"

#include <QHash>
#include <QNetworkAccessManager>
#include <QObject>
#include <QStringList>
#include <QUrl>

#include <chrono>

namespace companion::moderation {

struct RemoteOptions
{
    QUrl baseUrl{QStringLiteral("https://api.openai.com/v1")}; // "/moderations" is appended
    QByteArray apiKey = {}; // never logged
    QString model = QStringLiteral("omni-moderation-latest");
    std::chrono::milliseconds timeout{800}; // the whole of one question
    // What a category of theirs becomes: block, crisis, or not listed (then it is left alone). Sexual talk between
    // adults is not listed: the mode decides about it.
    QHash<QString, Action> actions = usualActions();
    // A score from here on is a hit, where it is stricter or laxer than the service's own flag.
    QHash<QString, float> thresholds = {};
    // Where the service does not answer: for these of its categories nothing may pass unseen, so that the message must
    // wait; empty: the local stages' word stands.
    QStringList failClosed = {};
    int brokenAfter = 5; // failures in a row; then it is not asked for a while, as if it had not answered
    std::chrono::seconds pause{15};

    static QHash<QString, Action> usualActions();
};

struct RemoteAnswer
{
    std::optional<Verdict> verdict; // nothing: no hit, or no answer where that may pass
    bool mustWait = false;
};

// OpenAI's moderation, asked about users' messages. Loop thread.
class RemoteModeration final : public QObject
{
    Q_OBJECT
public:
    explicit RemoteModeration(RemoteOptions options, QObject *parent = nullptr);

    // Calls `then` once, within the timeout, unless `context` has gone.
    using Then = std::function<void(RemoteAnswer)>;
    void ask(QObject *context, const QString &text, Then then);

    // "ok", "degraded" or "down", and why.
    std::pair<QString, QString> health() const;
    qint64 asked() const { return m_asked; }
    qint64 failed() const { return m_failed; }

    // What an answer of the service means; nullopt: it is not understood.
    static std::optional<RemoteAnswer> read(const QByteArray &body, const RemoteOptions &options, qsizetype textLength);

private:
    void answered(QNetworkReply *reply, qsizetype textLength, const Then &then);
    RemoteAnswer unanswered() const { return {.verdict = {}, .mustWait = !m_options.failClosed.isEmpty()}; }

    RemoteOptions m_options;
    QNetworkAccessManager m_network;
    int m_failuresInRow = 0;
    qint64 m_asked = 0;
    qint64 m_failed = 0;
    QString m_problem;
    std::chrono::steady_clock::time_point m_pausedUntil;
};

} // namespace companion::moderation
