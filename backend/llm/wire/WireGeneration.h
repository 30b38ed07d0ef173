#pragma once

#include "llm/WireModel.h"
#include "llm/wire/ChatChunk.h"
#include "llm/wire/Patience.h"
#include "llm/wire/SseDecoder.h"
#include "llm/wire/WireFailure.h"

#include <QElapsedTimer>
#include <QTimer>

namespace companion::llm {

// One reply: as many attempts as it takes, each a POST whose answer is decoded as it comes.
// The story: seekConnection → send → (bytes come) → take each chunk → complete, or fail → again, another model, or
// refuse.
class WireGeneration final : public Generation
{
    Q_OBJECT
public:
    WireGeneration(WireModel &model, const Request &request);
    ~WireGeneration() override;

    void stop() override;

private:
    void seekConnection();
    void send(WireLease lease);
    QByteArray body() const;

    void headArrived();
    void bytesArrived(const QByteArray &bytes);
    void answerEnded();
    void takeStream(const QList<SseEvent> &events);
    void take(const QByteArray &data);
    void deliver(const QString &piece);
    void streamEnded(bool marked);
    void patienceEnded();

    void fail(const WireFailure &failure);
    bool tryAgain(const WireFailure &failure);
    bool tryAnotherModel(const WireFailure &failure);
    void complete(const QString &reason);
    void refuse(const WireFailure &failure);
    void finish(const Result<Completion> &result);
    void dropAttempt();
    void giveBack();

    WireFailure failureOfAnswer() const;
    bool isWholeAnswer() const;
    const HttpAnswer &answer() const; // while an attempt runs
    bool attemptRuns() const { return bool(m_lease); }
    const QString &currentModel() const { return m_models.at(m_modelIndex); }
    SoundUsage usage() const;

    WireModel &m_model;
    const WireOptions &m_options;
    Request m_request;
    QStringList m_models;
    qsizetype m_modelIndex = 0;
    int m_attempt = 0; // of the current model
    int m_estimatedPrompt = 0;
    QElapsedTimer m_elapsed;
    QTimer m_total;
    Patience m_patience; // for whatever this moment waits for
    QString m_waitsFor;

    // this attempt's
    WireLease m_lease;
    SseDecoder m_decoder;
    QByteArray m_wholeBody; // of an error or of an answer that is no stream
    QString m_finishReason;
    QString m_answeringModel;
    std::optional<ToldUsage> m_usage;

    // delivered
    WholeCharacters m_characters;
    QString m_text;
    qsizetype m_textBytes = 0;
    int m_firstToken_ms = 0;
    bool m_endMarked = false;
    bool m_everSent = false;
    bool m_finished = false;
};

} // namespace companion::llm
