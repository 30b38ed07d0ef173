#include "console/client/PersonaTestApi.h"

namespace companion::console {

PersonaTestStream::PersonaTestStream(ApiExchange *exchange, QObject *parent)
    : QObject(parent)
    , m_exchange(exchange)
{
    connect(exchange, &ApiExchange::received, this, &PersonaTestStream::receive);
    connect(exchange, &ApiExchange::finished, this, &PersonaTestStream::close);
}

void PersonaTestStream::stop()
{
    if (m_exchange)
        m_exchange->abort();
}

void PersonaTestStream::receive(const QByteArray &bytes)
{
    for (const SseEvent &event : m_parser.feed(bytes))
        take(event);
}

void PersonaTestStream::take(const SseEvent &event)
{
    if (event.data == "[DONE]")
        return;
    if (event.name == "error")
        m_problem = Problem::fromAnswer(QJsonDocument::fromJson(event.data)[u"status"].toInt(), event.data);
    else
        takeChunk(QJsonDocument::fromJson(event.data).object());
}

void PersonaTestStream::takeChunk(const QJsonObject &chunk)
{
    const QString text = chunk[u"choices"][0][u"delta"][u"content"].toString();
    if (!text.isEmpty())
        Q_EMIT textArrived(text);
    if (!chunk.contains(u"persona_test"))
        return;
    const auto result = fromJson<PersonaTestResult>(chunk.value(u"persona_test"), UnknownFields::Ignore);
    if (result)
        m_result = *result;
    else
        m_problem = Problem::unreadable(result.error().errors.first().pointer);
}

void PersonaTestStream::close(const ApiResult<ApiAnswer> &end)
{
    if (!end)
        Q_EMIT failed(end.error());
    else if (m_problem)
        Q_EMIT failed(*m_problem);
    else if (m_result)
        Q_EMIT finished(*m_result);
    else
        Q_EMIT failed(Problem::unreadable(QStringLiteral("the stream ended without its figures")));
    deleteLater();
}

PersonaTestStream *PersonaTestApi::stream(PersonaTestRequest request)
{
    request.stream = true;
    ApiExchange *exchange = m_client.send(
        {.method = "POST", .path = QStringLiteral("/admin/persona-tests"), .body = toJson(request), .stream = true});
    return new PersonaTestStream(exchange, &m_client);
}

} // namespace companion::console
