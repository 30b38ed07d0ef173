#include "fakes/FakeLlmAnswer.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>

namespace {

const QString defaultReply = QStringLiteral("Hello from the fake model, pleased to meet you. \U0001F600");

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QJsonValue anyJson(const QString &text)
{
    const QJsonDocument wrapped = QJsonDocument::fromJson("[" + text.toUtf8() + "]");
    return wrapped.array().isEmpty() ? QJsonValue(text) : wrapped.array().first();
}

QJsonObject errorObject(const FakeLlmScript &script, int status)
{
    const QString code =
        script.text("code", status == 429 ? QStringLiteral("rate_limit_exceeded") : QStringLiteral("server_error"));
    return {
        {QStringLiteral("error"),
         QJsonObject{{QStringLiteral("message"), script.text("say", QStringLiteral("The fake fails as it was told."))},
                     {QStringLiteral("type"), QStringLiteral("fake_error")},
                     {QStringLiteral("param"), QJsonValue::Null},
                     {QStringLiteral("code"), code}}}};
}

QJsonObject usageObject(const FakeLlmScript &script, const QJsonObject &request, int said)
{
    const int prompt = FakeLlmAnswer::promptTokens(request);
    QJsonObject usage{{QStringLiteral("prompt_tokens"), prompt},
                      {QStringLiteral("completion_tokens"), said},
                      {QStringLiteral("total_tokens"), prompt + said}};
    const auto told = [&](const char *word, const QString &field) {
        if (script.has(word))
            usage.insert(field, anyJson(script.text(word)));
    };
    told("prompt", QStringLiteral("prompt_tokens"));
    told("completion", QStringLiteral("completion_tokens"));
    told("total", QStringLiteral("total_tokens"));
    told("ticks", QStringLiteral("cost_in_usd_ticks"));
    return usage;
}

// Writes the events of a stream, in the spelling the script asks for.
class StreamWriter
{
public:
    StreamWriter(const FakeLlmScript &script, const QJsonObject &request)
        : m_script(script)
        , m_request(request)
        , m_newline(script.has("crlf")     ? "\r\n"
                        : script.has("cr") ? "\r"
                                           : "\n")
    {
    }

    QByteArray event(const QByteArray &data) const
    {
        const QByteArray comment =
            m_script.has("comments") ? ": still here" + m_newline + "event: message" + m_newline : QByteArray();
        return comment + "data: " + data + m_newline + m_newline;
    }

    QByteArray delta(const QJsonObject &delta, const QJsonValue &finish = QJsonValue::Null) const
    {
        QJsonObject chunk = frame();
        chunk.insert(QStringLiteral("choices"),
                     QJsonArray{QJsonObject{{QStringLiteral("index"), 0},
                                            {QStringLiteral("delta"), delta},
                                            {QStringLiteral("logprobs"), QJsonValue::Null},
                                            {QStringLiteral("finish_reason"), finish}}});
        if (m_script.has("cumulative-usage"))
            chunk.insert(QStringLiteral("usage"), usageObject(m_script, m_request, 1));
        return event(compact(chunk));
    }

    QByteArray word(const QString &text) const { return delta({{QStringLiteral("content"), text}}); }

    QByteArray usage(int said) const
    {
        QJsonObject chunk = frame();
        chunk.insert(QStringLiteral("choices"), QJsonArray());
        chunk.insert(QStringLiteral("usage"), usageObject(m_script, m_request, said));
        return event(compact(chunk));
    }

    const QByteArray &newline() const { return m_newline; }

private:
    QJsonObject frame() const
    {
        return {{QStringLiteral("id"), QStringLiteral("chatcmpl-fake")},
                {QStringLiteral("object"), QStringLiteral("chat.completion.chunk")},
                {QStringLiteral("created"), 1790000000},
                {QStringLiteral("model"), m_request[QLatin1StringView("model")]}};
    }

    const FakeLlmScript &m_script;
    const QJsonObject &m_request;
    QByteArray m_newline;
};

// An emoji as two JSON escapes in two events, each of them half a character.
QList<QByteArray> halves(const StreamWriter &writer)
{
    QByteArray first = writer.word(QStringLiteral("HALF"));
    QByteArray second = first;
    return {first.replace("HALF", "\\ud83d"), second.replace("HALF", "\\ude00")};
}

int lastToken(const FakeLlmScript &script, int count)
{
    for (const char *word : {"cut", "stall", "error"})
        count = std::min(count, script.number(word, count));
    return count;
}

void addTokens(FakeLlmAnswer &answer, const StreamWriter &writer, const FakeLlmScript &script,
               const QStringList &tokens)
{
    answer.pieces << writer.delta(
        {{QStringLiteral("role"), QStringLiteral("assistant")},
         {QStringLiteral("content"), script.has("null-content") ? QJsonValue() : QJsonValue(QString())}});
    if (script.has("reasoning"))
        answer.pieces << writer.delta({{QStringLiteral("reasoning_content"), QStringLiteral("Let me think.")}});
    if (script.has("split-surrogates"))
        answer.pieces << halves(writer);
    for (const QString &token : tokens.mid(0, lastToken(script, int(tokens.size()))))
        answer.pieces << writer.word(token);
}

void addEnd(FakeLlmAnswer &answer, const StreamWriter &writer, const FakeLlmScript &script, const QJsonObject &request,
            int said)
{
    if (!script.has("no-finish"))
        answer.pieces << writer.delta({}, script.text("finish", QStringLiteral("stop")));
    if (script.has("after-finish"))
        answer.pieces << writer.word(QStringLiteral(" and more"));
    const bool wanted = request[QLatin1StringView("stream_options")][QLatin1StringView("include_usage")].toBool();
    if (wanted && !script.has("no-usage"))
        answer.pieces << writer.usage(said);
    if (!script.has("no-done"))
        answer.pieces << writer.event("[DONE]");
    if (script.has("done-twice"))
        answer.pieces << writer.event("[DONE]");
    if (script.has("after-done"))
        answer.pieces << writer.word(QStringLiteral(" never heard"));
}

FakeLlmAnswer stream(const FakeLlmScript &script, const QJsonObject &request)
{
    FakeLlmAnswer answer{.contentType = "text/event-stream; charset=utf-8", .chunked = true};
    const StreamWriter writer(script, request);
    const QStringList tokens = FakeLlmAnswer::tokensOf(script);
    if (script.has("bom"))
        answer.pieces << "\xEF\xBB\xBF";
    addTokens(answer, writer, script, tokens);
    if (script.has("huge-line"))
        answer.pieces << "data: " + QByteArray(script.number("huge-line", 10'000'000), 'x');
    if (script.has("garbage"))
        answer.pieces << writer.event("{\"this is\": no JSON");
    if (script.has("bad-utf8"))
        answer.pieces << writer.event("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"gr\xC3\"}}]}");
    if (script.has("half-char"))
        answer.pieces << QByteArray("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"gr\xC3");
    if (script.has("error"))
        answer.pieces << writer.event(compact(errorObject(script, 500)));
    else if (script.has("endless"))
        answer.end = FakeLlmAnswer::End::Endless;
    else if (script.has("cut") || script.has("half-char"))
        answer.end = FakeLlmAnswer::End::Cut;
    else if (script.has("stall"))
        answer.end = FakeLlmAnswer::End::Stall;
    else
        addEnd(answer, writer, script, request, int(tokens.size()));
    return answer;
}

FakeLlmAnswer whole(const FakeLlmScript &script, const QJsonObject &request)
{
    const QStringList tokens = FakeLlmAnswer::tokensOf(script);
    QJsonObject object{{QStringLiteral("id"), QStringLiteral("chatcmpl-fake")},
                       {QStringLiteral("object"), QStringLiteral("chat.completion")},
                       {QStringLiteral("created"), 1790000000},
                       {QStringLiteral("model"), request[QLatin1StringView("model")]},
                       {QStringLiteral("choices"),
                        QJsonArray{QJsonObject{{QStringLiteral("index"), 0},
                                               {QStringLiteral("message"),
                                                QJsonObject{{QStringLiteral("role"), QStringLiteral("assistant")},
                                                            {QStringLiteral("content"), tokens.join(QString())}}},
                                               {QStringLiteral("finish_reason"),
                                                script.text("finish", QStringLiteral("stop"))}}}}};
    if (!script.has("no-usage"))
        object.insert(QStringLiteral("usage"), usageObject(script, request, int(tokens.size())));
    return {.contentType = "application/json", .pieces = {compact(object)}};
}

} // namespace

FakeLlmAnswer FakeLlmAnswer::make(const FakeLlmScript &script, const QJsonObject &request)
{
    FakeLlmAnswer answer;
    const int status = script.has("redirect") ? 302 : script.number("status", 200);
    if (status != 200)
        answer = {.status = status,
                  .contentType = "application/json",
                  .pieces = {compact(errorObject(script, status))}};
    else if (script.text("garbage") == QLatin1StringView("html"))
        answer = {.contentType = "text/html", .pieces = {"<html><body>Welcome to nginx!</body></html>"}};
    else if (script.text("garbage") == QLatin1StringView("json"))
        answer = {.contentType = "application/json", .pieces = {"{\"hello\":\"world\"}"}};
    else if (request[QLatin1StringView("stream")].toBool() && !script.has("whole"))
        answer = stream(script, request);
    else
        answer = whole(script, request);
    if (script.has("retry-after"))
        answer.extraHeaders << "Retry-After: " + script.text("retry-after").replace(u'_', u' ').toUtf8();
    if (script.has("retry-after-ms"))
        answer.extraHeaders << "Retry-After-Ms: " + script.text("retry-after-ms").toUtf8();
    if (script.has("redirect"))
        answer.extraHeaders << "Location: " + script.text("redirect").toUtf8();
    return answer;
}

QStringList FakeLlmAnswer::tokensOf(const FakeLlmScript &script)
{
    QStringList tokens;
    for (int i = 0; i < script.number("tokens", 0); ++i)
        tokens << QStringLiteral(" word%1").arg(i);
    if (!tokens.isEmpty() || script.has("empty"))
        return tokens;
    static const QRegularExpression word(QStringLiteral(R"(\s*\S+\s*$|\s*\S+)"));
    for (auto found = word.globalMatch(script.text("say", defaultReply)); found.hasNext();)
        tokens << found.next().captured();
    return tokens;
}

int FakeLlmAnswer::promptTokens(const QJsonObject &request)
{
    int sum = 0;
    for (const QJsonValue &message : request[QLatin1StringView("messages")].toArray())
        sum += 3 + int((message[QLatin1StringView("content")].toString().toUtf8().size() + 3) / 4);
    return sum;
}
