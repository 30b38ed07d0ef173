#pragma once

#include "llm/LanguageModel.h"
#include "llm/rehearsal/RehearsalScript.h"

#include <QElapsedTimer>
#include <QTimer>

namespace companion::llm {

struct RehearsalPlan
{
    QStringList tokens;
    RehearsalScript script;
    int promptTokens = 0;
    int maxTokens = 0;
    std::chrono::milliseconds pace{};
    QString model;
};

// Says a reply that is known from the start, token by token, each at its own moment.
class RehearsalGeneration final : public Generation
{
    Q_OBJECT
public:
    RehearsalGeneration(const RehearsalPlan &plan, QObject *parent);

    void stop() override;

private:
    void layOutTime();
    void sayWhatIsDue();
    void end();
    void finish(const Result<Completion> &completion);
    Completion completion(const QString &reason) const;
    qsizetype lastToken() const;

    RehearsalPlan m_plan;
    std::vector<qint64> m_due_ms; // when each token is said, counted from the start
    qsizetype m_said = 0;
    QString m_text;
    qint64 m_firstToken_ms = 0;
    bool m_stopped = false;
    bool m_finished = false;
    QElapsedTimer m_elapsed;
    QTimer m_timer;
};

} // namespace companion::llm
