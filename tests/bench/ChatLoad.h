#pragma once

#include <QByteArray>
#include <QList>
#include <thread>

// For benchmarks: both ends of a chat as light as they can be, so that what is measured is what stands between them.
namespace companion::bench {

// A provider on the OpenAI wire that answers every request at once with the same short stream. Own thread, POSIX only.
class InstantLlm
{
public:
    InstantLlm();
    ~InstantLlm();
    quint16 port() const { return m_port; }

private:
    void run();

    int m_listener = -1;
    int m_wake = -1;
    quint16 m_port = 0;
    std::thread m_thread;
};

struct LoadFigures
{
    double perSecond = 0;
    qint64 done = 0;
    qint64 failed = 0; // no 200
    QByteArray firstFailure;
    QList<qint64> latencies_us; // sorted

    double percentile_ms(double share) const;
};

// Sends the requests of its connections, each its own over and over. perSecond 0: each connection sends as soon as it
// has its answer. Else requests are due at that rate, whoever is free takes the next, and the latency counts from the
// moment it was due.
LoadFigures load(quint16 port, const QList<QByteArray> &requests, int seconds, double perSecond = 0);

} // namespace companion::bench
