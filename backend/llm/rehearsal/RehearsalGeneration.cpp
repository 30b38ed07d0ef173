#include "llm/rehearsal/RehearsalGeneration.h"

#include <QPointer>
#include <algorithm>

namespace companion::llm {

namespace {

// Speech is not a metronome: a rest after each sentence and comma, and a small, repeatable unevenness.
double beats(const QString &token, qsizetype index)
{
    const double uneven = 0.7 + 0.1 * double((index * 7 + token.size() * 3) % 7);
    if (token == QLatin1StringView(".") || token == QLatin1StringView("!") || token == QLatin1StringView("?"))
        return uneven + 4;
    return token == QLatin1StringView(",") ? uneven + 1.5 : uneven;
}

} // namespace

RehearsalGeneration::RehearsalGeneration(const RehearsalPlan &plan, QObject *parent)
    : m_plan(plan)
{
    setParent(parent);
    layOutTime();
    m_elapsed.start();
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &RehearsalGeneration::sayWhatIsDue);
    m_timer.start(0);
}

void RehearsalGeneration::stop()
{
    if (m_stopped || m_finished)
        return;
    m_stopped = true;
    m_timer.start(0);
}

void RehearsalGeneration::layOutTime()
{
    const auto count = m_plan.tokens.size();
    double at = double(m_plan.pace.count()) * 8; // thinking before the first word
    for (qsizetype i = 0; i < count; ++i) {
        m_due_ms.push_back(m_plan.script.slow ? m_plan.script.slow->count() * (i + 1) / count : qint64(at));
        at += double(m_plan.pace.count()) * beats(m_plan.tokens[i], i);
    }
}

// Where the reply ends: its own end, the caller's limit, or where a trigger makes the model fail.
qsizetype RehearsalGeneration::lastToken() const
{
    const auto limit = std::min<qsizetype>(m_plan.tokens.size(), m_plan.maxTokens);
    if (m_plan.script.fail)
        return 0;
    return m_plan.script.cut ? std::min<qsizetype>(limit, *m_plan.script.cut) : limit;
}

void RehearsalGeneration::sayWhatIsDue()
{
    const qsizetype last = lastToken();
    const QPointer<RehearsalGeneration> alive(this);
    while (!m_stopped && m_said < last && m_due_ms[m_said] <= m_elapsed.elapsed()) {
        if (m_said == 0)
            m_firstToken_ms = m_elapsed.elapsed();
        const QString token = m_plan.tokens[m_said++];
        m_text += token;
        Q_EMIT text(token);
        if (!alive)
            return;
    }
    // A failure asked for together with "slow" comes when its first token would have come.
    const bool failsLater = last == 0 && m_plan.script.slow && m_elapsed.elapsed() < m_plan.script.slow->count();
    if (m_stopped || (m_said == last && !failsLater))
        return end();
    const qint64 due = failsLater ? m_plan.script.slow->count() : m_due_ms[m_said];
    m_timer.start(std::chrono::milliseconds(std::max<qint64>(0, due - m_elapsed.elapsed())));
}

void RehearsalGeneration::end()
{
    if (m_stopped)
        return finish(completion(QStringLiteral("stopped")));
    const auto limit = std::min<qsizetype>(m_plan.tokens.size(), m_plan.maxTokens);
    const bool cutShort = m_plan.script.cut && *m_plan.script.cut <= limit;
    if (m_plan.script.fail || cutShort)
        return finish(std::unexpected(Refusal{ErrorCode::ModelFailed, QStringLiteral("The model failed."),
                                              QStringLiteral("the rehearsal model failed as it was told to")}));
    finish(completion(m_said < m_plan.tokens.size() ? QStringLiteral("length") : QStringLiteral("stop")));
}

void RehearsalGeneration::finish(const Result<Completion> &completion)
{
    if (m_finished)
        return;
    m_finished = true;
    m_timer.stop();
    deleteLater();
    Q_EMIT finished(completion);
}

Completion RehearsalGeneration::completion(const QString &reason) const
{
    const int said = int(m_said);
    return Completion{.text = m_text,
                      .finishReason = reason,
                      .usage = {m_plan.promptTokens, said, m_plan.promptTokens + said},
                      .cost = CostUsd(),
                      .model = m_plan.model,
                      .rehearsal = true,
                      .firstToken_ms = int(m_firstToken_ms),
                      .total_ms = int(m_elapsed.elapsed())};
}

} // namespace companion::llm
