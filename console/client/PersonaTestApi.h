#pragma once

#include "common/models/Admin.h"
#include "console/client/ApiClient.h"
#include "console/client/SseParser.h"

namespace companion::console {

// One streamed reply of a persona under test. Deletes itself after finished() or failed(), exactly one of which comes.
class PersonaTestStream : public QObject
{
    Q_OBJECT
public:
    explicit PersonaTestStream(ApiExchange *exchange, QObject *parent = nullptr);
    // Ends it with a cancelled Problem.
    void stop();

Q_SIGNALS:
    void textArrived(const QString &text);
    void finished(const companion::PersonaTestResult &result);
    void failed(const companion::console::Problem &problem);

private:
    void receive(const QByteArray &bytes);
    void take(const SseEvent &event);
    void takeChunk(const QJsonObject &chunk);
    void close(const ApiResult<ApiAnswer> &end);

    QPointer<ApiExchange> m_exchange;
    SseParser m_parser;
    std::optional<PersonaTestResult> m_result;
    std::optional<Problem> m_problem;
};

class PersonaTestApi
{
public:
    explicit PersonaTestApi(ApiClient &client)
        : m_client(client)
    {
    }
    PersonaTestStream *stream(PersonaTestRequest request);

private:
    ApiClient &m_client;
};

} // namespace companion::console
