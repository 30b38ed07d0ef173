#pragma once

#include <QByteArray>
#include <QList>
#include <QMutex>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace companion::ops {

// Numbers for Prometheus. Counting is one or two relaxed atomic operations, from any thread; looking a series up takes
// a lock, so keep the reference where it is hot (it lives as long as the registry).

class Counter
{
public:
    void add(double amount = 1) { m_value.fetch_add(amount, std::memory_order_relaxed); } // never negative
    double value() const { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<double> m_value = 0;
};

class Gauge
{
public:
    void set(double value) { m_value.store(value, std::memory_order_relaxed); }
    void add(double amount) { m_value.fetch_add(amount, std::memory_order_relaxed); }
    double value() const { return m_value.load(std::memory_order_relaxed); }

private:
    std::atomic<double> m_value = 0;
};

class Histogram
{
public:
    explicit Histogram(QList<double> bounds); // ascending upper bounds, +Inf is added
    void observe(double value);
    const QList<double> &bounds() const { return m_bounds; }
    quint64 inBucket(qsizetype index) const { return m_counts[size_t(index)].load(std::memory_order_relaxed); }
    double sum() const { return m_sum.load(std::memory_order_relaxed); }

private:
    QList<double> m_bounds;
    std::vector<std::atomic<quint64>> m_counts;
    std::atomic<double> m_sum = 0;
};

using Labels = QList<std::pair<QByteArray, QByteArray>>; // name, value; the same names for all series of a family

// The same name and labels give the same series. A name that Prometheus would not take, a counter whose name does not
// end in _total, or one name used in two ways is a Bug. A family keeps at most 1,000 series; further label values are
// counted under "other", so that no caller can fill the memory.
class Metrics
{
public:
    Metrics();
    ~Metrics();

    Counter &counter(const QByteArray &name, const QByteArray &help, const Labels &labels = {});
    Gauge &gauge(const QByteArray &name, const QByteArray &help, const Labels &labels = {});
    // `bounds` count where the family is new. Durations are in seconds.
    Histogram &histogram(const QByteArray &name, const QByteArray &help, const Labels &labels = {},
                         const QList<double> &bounds = durationBounds());
    // Asked each time the page is written, on the thread that writes it.
    void gaugeFunction(const QByteArray &name, const QByteArray &help, std::function<double()> value);

    QByteArray exposition() const; // text format 0.0.4, with the process's own figures
    static const char *contentType() { return "text/plain; version=0.0.4; charset=utf-8"; }
    static QList<double> durationBounds(); // 1 ms … 60 s

private:
    struct Family;
    struct Series;
    Series &series(const QByteArray &name, const QByteArray &help, const char *type, const Labels &labels,
                   const QList<double> &bounds = {});
    mutable QMutex m_mutex;
    std::map<QByteArray, std::unique_ptr<Family>> m_families;
};

} // namespace companion::ops
