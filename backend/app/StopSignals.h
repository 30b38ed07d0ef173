#pragma once

#include <QObject>
#include <QSocketNotifier>
#include <memory>

namespace companion::app {

// SIGINT, SIGTERM and SIGHUP as a Qt signal on the thread that made this. One at a time in a process; the second SIGINT
// or SIGTERM ends the process at once.
class StopSignals : public QObject
{
    Q_OBJECT
public:
    StopSignals();
    ~StopSignals() override;

Q_SIGNALS:
    void received();

private:
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace companion::app
