#include "bench/support/Load.h"

#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "common/Ensure.h"

#include <QElapsedTimer>
#include <deque>
#include <vector>

namespace companion::bench {

namespace {

class Load
{
public:
    Load(quint16 port, const LoadPlan &plan)
        : m_clients(port)
        , m_plan(plan)
        , m_readers(size_t(plan.connections))
        , m_since_ms(size_t(plan.connections))
    {
        for (int i = 0; i < plan.connections; ++i)
            m_idle.push_back(m_clients.connect());
    }

    LoadFigures run()
    {
        m_clock.start();
        while (now_ms() < m_plan.seconds * 1000 || m_open > 0) {
            if (now_ms() < m_plan.seconds * 1000)
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
            const double due = m_plan.perSecond > 0 ? double(m_sent) * 1000 / m_plan.perSecond : now_ms();
            if (due > now_ms())
                return;
            const int client = m_idle.front();
            m_idle.pop_front();
            m_since_ms[size_t(client)] = due;
            m_clients.send(client, m_plan.request(client));
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
        if (reader.status() == 200 && reader.body().contains(m_plan.wanted))
            m_figures.latencies_ms.append(now_ms() - m_since_ms[size_t(client)]);
        else if (++m_figures.failed == 1)
            m_figures.firstFailure = reader.head() + reader.body();
        m_idle.push_back(client);
        --m_open;
    }

    Clients m_clients;
    const LoadPlan &m_plan;
    std::vector<AnswerReader> m_readers;
    std::vector<double> m_since_ms;
    std::deque<int> m_idle;
    QElapsedTimer m_clock;
    LoadFigures m_figures;
    qint64 m_sent = 0;
    int m_open = 0;
};

} // namespace

LoadFigures load(quint16 port, const LoadPlan &plan)
{
    return Load(port, plan).run();
}

LoadFigures load(quint16 port, const QList<QByteArray> &requests, int seconds, double perSecond)
{
    return load(port,
                {.connections = int(requests.size()),
                 .request = [&](int connection) { return requests[connection]; },
                 .seconds = seconds,
                 .perSecond = perSecond});
}

void report(const char *what, const LoadFigures &figures)
{
    const auto &latencies = figures.latencies_ms;
    std::printf("%s: %.0f/s, p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, %lld failed\n", what, figures.perSecond,
                percentile(latencies, 0.5), percentile(latencies, 0.95), percentile(latencies, 0.99),
                static_cast<long long>(figures.failed));
    if (figures.failed > 0)
        std::printf("%s\n", figures.firstFailure.constData());
    std::fflush(stdout);
}

} // namespace companion::bench
