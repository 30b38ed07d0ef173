#include "console/client/Heartbeat.h"

namespace companion::console {

Heartbeat::Heartbeat(ApiClient &client, QObject *parent)
    : QObject(parent)
    , m_client(client)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &Heartbeat::beat);
}

void Heartbeat::start()
{
    m_timer.start(0);
}

void Heartbeat::beat()
{
    m_client.call<ApiAnswer>({.path = QStringLiteral("//health/live"), .anonymous = true, .probe = true})
        .then(this, [this](const ApiResult<ApiAnswer> &answer) {
            m_timer.start(answer ? std::chrono::seconds(10) : std::chrono::seconds(2));
        });
}

} // namespace companion::console
