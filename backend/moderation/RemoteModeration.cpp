#include "moderation/RemoteModeration.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QPointer>
#include <QTimer>

#include <algorithm>

namespace companion::moderation {

namespace {

constexpr qint64 longestAnswer_bytes = 256 * 1024;

struct Category
{
    const char *theirs;
    Action action;
    const char *ours;
    Severity severity;
};
// The weightiest first: of several hits the first one counts.
constexpr Category categories[] = {
    {"sexual/minors", Action::Block, "sexual_minors", Severity::High},
    {"self-harm/intent", Action::Crisis, "self_harm", Severity::Normal},
    {"self-harm/instructions", Action::Crisis, "self_harm", Severity::Normal},
    {"self-harm", Action::Crisis, "self_harm", Severity::Normal},
    {"hate/threatening", Action::Block, "violence", Severity::Normal},
    {"harassment/threatening", Action::Block, "violence", Severity::Normal},
    {"illicit/violent", Action::Block, "illegal", Severity::Normal},
    {"illicit", Action::Block, "illegal", Severity::Normal},
};

} // namespace

QHash<QString, Action> RemoteOptions::usualActions()
{
    QHash<QString, Action> actions;
    for (const Category &category : categories)
        actions.insert(QLatin1StringView(category.theirs), category.action);
    return actions;
}

RemoteModeration::RemoteModeration(RemoteOptions options, QObject *parent)
    : QObject(parent)
    , m_options(std::move(options))
{
}

void RemoteModeration::ask(QObject *context, const QString &text, Then then)
{
    if (std::chrono::steady_clock::now() < m_pausedUntil)
        return then(unanswered());
    ++m_asked;
    QNetworkRequest request(QUrl(m_options.baseUrl.toString() + QStringLiteral("/moderations")));
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setRawHeader("Authorization", "Bearer " + m_options.apiKey);
    // The key goes nowhere else.
    request.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setTransferTimeout(static_cast<int>(m_options.timeout.count()));
    const QJsonObject body{{QStringLiteral("model"), m_options.model}, {QStringLiteral("input"), text}};
    QNetworkReply *reply = m_network.post(request, QJsonDocument(body).toJson(QJsonDocument::Compact));
    // The transfer timeout counts from the last byte: one that drips must end as well.
    auto *limit = new QTimer(reply);
    limit->setSingleShot(true);
    connect(limit, &QTimer::timeout, reply, &QNetworkReply::abort);
    limit->start(m_options.timeout);
    connect(reply, &QNetworkReply::downloadProgress, reply, [reply](qint64 received) {
        if (received > longestAnswer_bytes)
            reply->abort();
    });
    connect(reply, &QNetworkReply::finished, this,
            [this, reply, guard = QPointer<QObject>(context), length = text.size(), then = std::move(then)] {
                reply->deleteLater();
                answered(reply, length, [&](RemoteAnswer answer) {
                    if (guard)
                        then(std::move(answer));
                });
            });
}

void RemoteModeration::answered(QNetworkReply *reply, qsizetype textLength, const Then &then)
{
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    auto answer = reply->error() == QNetworkReply::NoError && status == 200
        ? read(reply->readAll(), m_options, textLength)
        : std::nullopt;
    if (answer) {
        m_failuresInRow = 0;
        return then(std::move(*answer));
    }
    ++m_failed;
    m_problem = status > 0 && status != 200        ? QStringLiteral("HTTP %1").arg(status)
        : reply->error() != QNetworkReply::NoError ? QStringLiteral("no answer in time")
                                                   : QStringLiteral("an answer that is not understood");
    if (++m_failuresInRow >= m_options.brokenAfter)
        m_pausedUntil = std::chrono::steady_clock::now() + m_options.pause;
    then(unanswered());
}

std::optional<RemoteAnswer> RemoteModeration::read(const QByteArray &body, const RemoteOptions &options,
                                                   qsizetype textLength)
{
    const QJsonObject answer = QJsonDocument::fromJson(body).object();
    const QJsonObject result = answer.value(QStringLiteral("results")).toArray().first().toObject();
    const QJsonObject flags = result.value(QStringLiteral("categories")).toObject();
    const QJsonObject scores = result.value(QStringLiteral("category_scores")).toObject();
    if (flags.isEmpty())
        return std::nullopt;
    for (const Category &category : categories) {
        const QString name = QLatin1StringView(category.theirs);
        const auto action = options.actions.constFind(name);
        const auto threshold = options.thresholds.constFind(name);
        const auto score = static_cast<float>(scores.value(name).toDouble());
        const bool isHit =
            threshold == options.thresholds.constEnd() ? flags.value(name).toBool() : score >= *threshold;
        if (action == options.actions.constEnd() || !isHit)
            continue;
        return RemoteAnswer{.verdict =
                                Verdict{.action = *action,
                                        .severity = category.severity,
                                        .stage = Stage::Remote,
                                        .score = std::clamp(score, 0.F, 1.F),
                                        .category = QLatin1StringView(category.ours),
                                        .rule = QStringLiteral("openai-%1").arg(QString(name).replace(u'/', u'-')),
                                        .length = textLength}};
    }
    return RemoteAnswer();
}

std::pair<QString, QString> RemoteModeration::health() const
{
    if (m_failuresInRow == 0)
        return {QStringLiteral("ok"), QString()};
    return {m_failuresInRow >= m_options.brokenAfter ? QStringLiteral("down") : QStringLiteral("degraded"), m_problem};
}

} // namespace companion::moderation
