#include "llm/wire/WireGeneration.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QPointer>
#include <QRandomGenerator>
#include <memory>

namespace companion::llm {

namespace {

Q_LOGGING_CATEGORY(lcWire, "companion.llm")

constexpr qsizetype mostErrorBytes = 64 * 1024;

QLatin1StringView roleName(ChatMessage::Role role)
{
    switch (role) {
    case ChatMessage::Role::System:
        return QLatin1StringView("system");
    case ChatMessage::Role::Assistant:
        return QLatin1StringView("assistant");
    case ChatMessage::Role::User:
        break;
    }
    return QLatin1StringView("user");
}

    // As much of the text as fits into so many bytes of UTF-8, without half a character.
QString fitting(const QString &text, qsizetype bytes)
{
    qsizetype size = 0;
    for (qsizetype i = 0; i < text.size();) {
        const bool pair = text[i].isHighSurrogate();
        const ushort unit = text[i].unicode();
        size += pair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
        if (size > bytes)
            return text.left(i);
        i += pair ? 2 : 1;
    }
    return text;
}

} // namespace

WireGeneration::WireGeneration(WireModel &model, const Request &request)
    : m_model(model)
    , m_options(model.m_options)
    , m_request(request)
    , m_estimatedPrompt(request.promptEstimate ? *request.promptEstimate : estimateTokens(request.messages))
    , m_patience([this] { patienceEnded(); })
{
    setParent(&model);
    m_models = QStringList{request.model.isEmpty() ? m_options.model : request.model} + m_options.fallbackModels;
    m_models.removeDuplicates();
    m_elapsed.start();
    m_total.setSingleShot(true);
    connect(&m_total, &QTimer::timeout, this,
            [this] { refuse(timedOut(QStringLiteral("the limit for a whole generation"))); });
    m_total.start(m_options.total);
    QMetaObject::invokeMethod(this, &WireGeneration::seekConnection, Qt::QueuedConnection);
}

WireGeneration::~WireGeneration()
{
    dropAttempt();
}

void WireGeneration::stop()
{
    if (m_finished)
        return;
    dropAttempt();
    m_total.stop();
    m_model.m_pool.forget(this);
    QMetaObject::invokeMethod(this, [this] { complete(QStringLiteral("stopped")); }, Qt::QueuedConnection);
}

void WireGeneration::seekConnection()
{
    if (m_finished || !m_total.isActive())
        return;
    m_waitsFor = QStringLiteral("a free connection");
    m_patience.wait(m_options.queue);
    m_model.m_pool.ask(this, m_request.priority, [this](WireLease lease) { send(std::move(lease)); });
}

void WireGeneration::send(WireLease lease)
{
    ++m_attempt;
    m_everSent = true;
    m_lease = std::move(lease);
    m_decoder = SseDecoder();
    m_wholeBody.clear();
    m_finishReason.clear();
    m_endMarked = false;
    m_usage.reset();
    m_answeringModel = currentModel();
    WireConnection *connection = m_lease.connection();
    connect(connection, &WireConnection::sent, this, [this] {
        m_waitsFor = QStringLiteral("the head of the answer");
        m_patience.wait(m_options.firstByte);
    });
    connect(connection, &WireConnection::headCame, this, &WireGeneration::headArrived);
    connect(connection, &WireConnection::bodyCame, this, &WireGeneration::bytesArrived);
    connect(connection, &WireConnection::ended, this, &WireGeneration::answerEnded);
    m_waitsFor = QStringLiteral("a connection");
    m_patience.wait(m_options.connect);
    const QByteArray content = body();
    connection->send(m_model.m_requestHead + QByteArray::number(content.size()) + "\r\n\r\n" + content);
}

QByteArray WireGeneration::body() const
{
    QJsonArray messages;
    for (const ChatMessage &message : m_request.messages)
        messages.append(QJsonObject{{QStringLiteral("role"), roleName(message.role)},
                                    {QStringLiteral("content"), message.content}});
    // OpenAI itself refuses max_tokens for its newer models; everybody else knows only that.
    const bool openAi = m_options.baseUrl.host().endsWith(QLatin1StringView("openai.com"));
    QJsonObject object{
        {QStringLiteral("model"), currentModel()},
        {QStringLiteral("messages"), messages},
        {QStringLiteral("stream"), true},
        {QStringLiteral("stream_options"), QJsonObject{{QStringLiteral("include_usage"), true}}},
        {openAi ? QStringLiteral("max_completion_tokens") : QStringLiteral("max_tokens"), m_request.maxTokens},
    };
    if (m_request.temperature)
        object.insert(QStringLiteral("temperature"), *m_request.temperature);
    if (!m_request.endUser.isEmpty())
        object.insert(QStringLiteral("user"), m_request.endUser);
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

void WireGeneration::headArrived()
{
    m_waitsFor = QStringLiteral("the next piece of the answer");
    m_patience.wait(m_options.idle);
}

const HttpAnswer &WireGeneration::answer() const
{
    return m_lease.connection()->answer();
}

// An error, or an answer of a server that does not stream: readable only when it is whole.
bool WireGeneration::isWholeAnswer() const
{
    if (answer().status() != 200)
        return true;
    const QByteArray type = answer().header("content-type");
    return type.startsWith("application/json") || type.startsWith("text/html");
}

void WireGeneration::bytesArrived(const QByteArray &bytes)
{
    if (m_finishReason.isEmpty())
        headArrived();
    if (!isWholeAnswer())
        return takeStream(m_decoder.feed(bytes));
    m_wholeBody += bytes;
    if (answer().status() != 200 && m_wholeBody.size() > mostErrorBytes)
        fail(failureOfAnswer());
    else if (m_wholeBody.size() > m_options.maxReplyBytes * 4)
        fail(brokenStream(QStringLiteral("an answer without end")));
}

void WireGeneration::takeStream(const QList<SseEvent> &events)
{
    const QPointer<WireGeneration> alive(this);
    for (const SseEvent &event : events) {
        take(event.data);
        if (!alive || !attemptRuns())
            return;
    }
    if (m_decoder.overflowed())
        fail(brokenStream(QStringLiteral("a line above 1 MiB")));
}

void WireGeneration::take(const QByteArray &data)
{
    if (data.trimmed() == "[DONE]")
        return streamEnded(true);
    const auto chunk = readChunk(data);
    if (!chunk)
        return fail(brokenStream(QStringLiteral("a piece that is no chat completion")));
    if (chunk->error)
        return fail(failureOfError(*chunk->error, m_options.apiKey));
    if (!chunk->model.isEmpty())
        m_answeringModel = chunk->model;
    if (chunk->usage)
        m_usage = chunk->usage;
    if (!chunk->finishReason.isEmpty() && m_finishReason.isEmpty()) {
        m_finishReason = chunk->finishReason;
        m_patience.wait(m_options.afterFinish);
    }
    deliver(m_characters.feed(chunk->text));
}

void WireGeneration::deliver(const QString &piece)
{
    if (piece.isEmpty())
        return;
    if (m_text.isEmpty())
        m_firstToken_ms = int(m_elapsed.elapsed());
    const QString delta = fitting(piece, m_options.maxReplyBytes - m_textBytes);
    const bool full = delta.size() < piece.size();
    m_text += delta;
    m_textBytes += delta.toUtf8().size();
    const QPointer<WireGeneration> alive(this);
    if (!delta.isEmpty())
        Q_EMIT text(delta);
    if (alive && attemptRuns() && full)
        complete(QStringLiteral("length"));
}

void WireGeneration::answerEnded()
{
    const bool cutShort = answer().state() != HttpAnswer::State::Complete;
    if (answer().status() != 200 || (cutShort && m_finishReason.isEmpty()))
        return fail(failureOfAnswer());
    const QPointer<WireGeneration> alive(this);
    if (isWholeAnswer())
        take(m_wholeBody);
    else
        takeStream(m_decoder.end());
    if (alive && attemptRuns())
        streamEnded(false);
}

// `marked`: by [DONE]. A stream that just ends is whole only if it told its finish reason before.
void WireGeneration::streamEnded(bool marked)
{
    if (!marked && m_finishReason.isEmpty())
        return fail(brokenStream(QStringLiteral("the stream broke off")));
    m_endMarked = marked;
    const QPointer<WireGeneration> alive(this);
    deliver(m_characters.end());
    if (!alive || !attemptRuns())
        return;
    const QString reason = finishReasonOf(m_finishReason);
    if (m_text.isEmpty() && reason != QLatin1StringView("content_filter"))
        return fail(brokenStream(QStringLiteral("an empty reply")));
    complete(reason);
}

void WireGeneration::patienceEnded()
{
    if (attemptRuns() && !m_finishReason.isEmpty())
        return streamEnded(false); // all that is missing is how much it was
    WireFailure failure = timedOut(QStringLiteral("waited too long for ") + m_waitsFor);
    if (attemptRuns() && !m_lease.connection()->isConnected())
        m_model.m_pool.connectingFailed();
    if (!attemptRuns()) {
        m_model.m_pool.forget(this);
        failure.code = ErrorCode::Overloaded;
        failure.providersFault = false;
        return refuse(failure);
    }
    fail(failure);
}

WireFailure WireGeneration::failureOfAnswer() const
{
    const int code = answer().status();
    if (code == 0 || code == 200)
        return failureOfConnection(m_lease.connection()->error(), answer().whyBroken());
    WireFailure failure = failureOfStatus(code, readError(m_wholeBody), m_options.apiKey);
    failure.retryAfter = retryAfterOf(answer().header("Retry-After"), answer().header("retry-after-ms"),
                                      QDateTime::currentDateTimeUtc());
    if (code == 503 && failure.retryAfter)
        failure.code = ErrorCode::Overloaded;
    return failure;
}

// The end of one attempt. Once anything was delivered, it is the end of all.
void WireGeneration::fail(const WireFailure &failure)
{
    dropAttempt();
    if (m_text.isEmpty() && (tryAgain(failure) || tryAnotherModel(failure)))
        return;
    refuse(failure);
}

bool WireGeneration::tryAgain(const WireFailure &failure)
{
    if (!failure.sameModel || m_attempt >= m_options.attempts)
        return false;
    const qint64 usual = m_options.backoff.count() << std::min(m_attempt - 1, 16);
    const std::chrono::milliseconds jittered(qint64(double(usual) * (0.75 + QRandomGenerator::global()->bounded(0.5))));
    const auto wait = failure.retryAfter.value_or(std::min(jittered, m_options.longestBackoff));
    if (wait > m_options.longestBackoff || wait >= m_total.remainingTimeAsDuration())
        return false;
    qCInfo(lcWire).noquote() << "attempt" << m_attempt << "of" << currentModel() << "failed:" << failure.log
                             << "- again in" << wait.count() << "ms";
    QTimer::singleShot(wait, this, &WireGeneration::seekConnection);
    return true;
}

bool WireGeneration::tryAnotherModel(const WireFailure &failure)
{
    if (!failure.otherModel || m_modelIndex + 1 >= m_models.size())
        return false;
    qCWarning(lcWire).noquote() << currentModel() << "failed:" << failure.log << "- falling back on"
                                << m_models.at(m_modelIndex + 1);
    ++m_modelIndex;
    m_attempt = 0;
    seekConnection();
    return true;
}

SoundUsage WireGeneration::usage() const
{
    const int completion = estimateTokens(m_text);
    const auto told = m_usage && m_everSent ? m_usage : std::nullopt;
    return soundUsage(told, m_everSent ? m_estimatedPrompt : 0, completion, m_request.maxTokens);
}

void WireGeneration::complete(const QString &reason)
{
    if (m_finished)
        return;
    if (m_endMarked)
        giveBack();
    dropAttempt();
    if (m_modelIndex > 0)
        m_model.m_health.succeededWithFallback(currentModel());
    else if (reason != QLatin1StringView("stopped") || !m_text.isEmpty())
        m_model.m_health.succeeded();
    const SoundUsage counted = usage();
    finish(Completion{.text = m_text,
                      .finishReason = reason,
                      .usage = counted.usage,
                      .usageEstimated = counted.estimated,
                      .cost = m_usage ? m_usage->cost : std::nullopt,
                      .model = m_answeringModel.isEmpty() ? currentModel() : m_answeringModel,
                      .firstToken_ms = m_firstToken_ms,
                      .total_ms = int(m_elapsed.elapsed())});
}

void WireGeneration::refuse(const WireFailure &failure)
{
    dropAttempt();
    m_model.m_pool.forget(this);
    if (failure.providersFault)
        m_model.m_health.failed(failure.log);
    qCWarning(lcWire).noquote() << currentModel() << "gave no reply:" << failure.log;
    finish(std::unexpected(failure.refusal()));
}

void WireGeneration::finish(const Result<Completion> &result)
{
    if (m_finished)
        return;
    m_finished = true;
    m_total.stop();
    m_patience.stop();
    deleteLater();
    Q_EMIT finished(result);
}

void WireGeneration::giveBack()
{
    if (m_lease)
        m_lease.connection()->disconnect(this);
    m_lease.giveBack();
}

void WireGeneration::dropAttempt()
{
    m_patience.stop();
    if (m_lease)
        m_lease.connection()->disconnect(this);
    m_lease.drop();
}

} // namespace companion::llm
