#include "bench/support/Load.h"

#include "bench/support/Clients.h"
#include "common/Ensure.h"

#include <QElapsedTimer>
#include <deque>
#include <vector>

namespace companion::bench {

namespace {

class Load
{
public:
    Load(quint16 port, const QList<QByteArray> &requests, double perSecond)
        : m_clients(port)
        , m_requests(requests)
        , m_perSecond(perSecond)
        , m_readers(size_t(requests.size()))
        , m_since_ms(size_t(requests.size()))
    {
        for (int i = 0; i < int(requests.size()); ++i)
            m_idle.push_back(m_clients.connect());
    }

    LoadFigures run(int seconds)
    {
        m_clock.start();
        while (now_ms() < seconds * 1000 || m_open > 0) {
            if (now_ms() < seconds * 1000)
                sendDue();
            m_clients.poll(1, [this](int client, const char *data, qsizetype size) { came(client, data, size); });
        }
        m_figures.perSecond = double(m_figures.latencies_ms.size()) / now_ms() * 1000;
        return m_figures;
    }

private:
    double now_ms() const { return double(m_clock.nsecsElapsed()) / 1e6; }

    void sendDue()
    {
        while (!m_idle.empty()) {
            const double due = m_perSecond > 0 ? double(m_sent) * 1000 / m_perSecond : now_ms();
            if (due > now_ms())
                return;
            const int client = m_idle.front();
            m_idle.pop_front();
            m_since_ms[size_t(client)] = due;
            m_clients.send(client, m_requests[client]);
            ++m_sent;
            ++m_open;
        }
    }

    void came(int client, const char *data, qsizetype size)
    {
        ensure(size > 0, "the server keeps its connections");
        AnswerReader &reader = m_readers[size_t(client)];
        if (!reader.feed(data, size))
            return;
        if (reader.status() == 200)
            m_figures.latencies_ms.append(now_ms() - m_since_ms[size_t(client)]);
        else if (++m_figures.failed == 1)
            m_figures.firstFailure = reader.head() + reader.body();
        m_idle.push_back(client);
        --m_open;
    }

    Clients m_clients;
    const QList<QByteArray> &m_requests;
    const double m_perSecond;
    std::vector<AnswerReader> m_readers;
    std::vector<double> m_since_ms;
    std::deque<int> m_idle;
    QElapsedTimer m_clock;
    LoadFigures m_figures;
    qint64 m_sent = 0;
    int m_open = 0;
};

} // namespace

LoadFigures load(quint16 port, const QList<QByteArray> &requests, int seconds, double perSecond)
{
    return Load(port, requests, perSecond).run(seconds);
}

} // namespace companion::bench
