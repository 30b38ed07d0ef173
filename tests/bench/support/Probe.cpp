#include "bench/support/Probe.h"

#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "common/Ensure.h"

#include <QElapsedTimer>
#include <chrono>
#include <thread>

namespace companion::bench {

QList<double> probe(quint16 port, int seconds, int perSecond)
{
    Clients client(port);
    client.connect();
    const QByteArray request = requestBytes("GET", "/health/live");
    QList<double> times_ms;
    QElapsedTimer clock;
    clock.start();
    for (qint64 i = 0; i < qint64(seconds) * perSecond; ++i) {
        const qint64 due_ns = i * 1'000'000'000 / perSecond;
        if (const qint64 wait_ns = due_ns - clock.nsecsElapsed(); wait_ns > 0)
            std::this_thread::sleep_for(std::chrono::nanoseconds(wait_ns));
        AnswerReader reader;
        client.send(0, request);
        for (bool done = false; !done;)
            client.poll(1'000, [&](int, const char *data, qsizetype size) {
                ensure(size > 0, "the probe's connection stays");
                done = reader.feed(data, size);
            });
        ensure(reader.status() == 200, "the probe is answered");
        times_ms << double(clock.nsecsElapsed() - due_ns) / 1e6;
    }
    return times_ms;
}

void printTimes(const char *what, const QList<double> &times_ms)
{
    std::printf("%-28s p50 %7.2f ms, p99 %7.2f ms, worst %7.2f ms (%lld)\n", what, median(times_ms),
                percentile(times_ms, 0.99), percentile(times_ms, 1), static_cast<long long>(times_ms.size()));
    std::fflush(stdout);
}

} // namespace companion::bench
