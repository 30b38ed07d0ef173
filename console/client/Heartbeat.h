#pragma once

#include "console/client/ApiClient.h"

#include <QTimer>

namespace companion::console {

// Asks the server now and then whether it is there, so that the connection shown is never old news:
// every 10 s while it answers, every 2 s while it does not.
class Heartbeat : public QObject
{
    Q_OBJECT
public:
    explicit Heartbeat(ApiClient &client, QObject *parent = nullptr);
    void start();
    void stop() { m_timer.stop(); }

private:
    void beat();

    ApiClient &m_client;
    QTimer m_timer;
};

} // namespace companion::console
