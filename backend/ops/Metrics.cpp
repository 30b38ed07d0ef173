#include "ops/Metrics.h"

#include "common/Ensure.h"
#include "ops/ProcessFigures.h"

#include <QLocale>

#include <algorithm>
#include <cmath>
#include <vector>

namespace companion::ops {

namespace {

constexpr size_t seriesPerFamily = 1'000;

bool isNameLetter(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

bool isPrometheusName(const QByteArray &name)
{
    return !name.isEmpty() && isNameLetter(name.at(0), true)
        && std::ranges::all_of(name, [](char c) { return isNameLetter(c, false); });
}

// The rules of `promtool check metrics` that a name alone can break.
void checkFamilyName(const QByteArray &name, const QByteArray &type)
{
    ensure(isPrometheusName(name), "a metric's name is letters, digits and underscores");
    ensure(name.endsWith("_total") == (type == "counter"), "counters, and only they, end in _total");
    for (const char *reserved : {"_bucket", "_count", "_sum"})
        ensure(!name.endsWith(reserved), "a metric's name does not end like a histogram's part");
}

void checkLabels(const Labels &labels)
{
    for (const auto &[name, value] : labels)
        ensure(isPrometheusName(name) && name != "le" && !name.startsWith("__"), "a label's name is usable");
}

QByteArray escapedLabel(QByteArray value)
{
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
}

QByteArray labelText(const Labels &labels, const QByteArray &le = {})
{
    QByteArray text;
    for (const auto &[name, value] : labels)
        text += (text.isEmpty() ? "" : ",") + name + "=\"" + escapedLabel(value) + "\"";
    if (!le.isEmpty())
        text += (text.isEmpty() ? "" : ",") + QByteArray("le=\"") + le + "\"";
    return text.isEmpty() ? QByteArray() : "{" + text + "}";
}

QByteArray numberText(double value)
{
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    return QByteArray::number(value, 'g', QLocale::FloatingPointShortest);
}

Labels overflowLabels(Labels labels)
{
    for (auto &[name, value] : labels)
        value = "other";
    return labels;
}

void writeHistogram(QByteArray &out, const QByteArray &name, const Labels &labels, const Histogram &histogram)
{
    quint64 count = 0;
    for (qsizetype i = 0; i <= histogram.bounds().size(); ++i) {
        count += histogram.inBucket(i);
        const auto le = i < histogram.bounds().size() ? numberText(histogram.bounds().at(i)) : QByteArray("+Inf");
        out += name + "_bucket" + labelText(labels, le) + " " + QByteArray::number(count) + "\n";
    }
    out += name + "_sum" + labelText(labels) + " " + numberText(histogram.sum()) + "\n";
    out += name + "_count" + labelText(labels) + " " + QByteArray::number(count) + "\n";
}

} // namespace

Histogram::Histogram(QList<double> bounds)
    : m_bounds(std::move(bounds))
    , m_counts(size_t(m_bounds.size()) + 1)
{
    ensure(std::ranges::is_sorted(m_bounds), "a histogram's bounds ascend");
}

void Histogram::observe(double value)
{
    const auto bucket = std::ranges::lower_bound(m_bounds, value) - m_bounds.begin();
    m_counts[size_t(bucket)].fetch_add(1, std::memory_order_relaxed);
    m_sum.fetch_add(value, std::memory_order_relaxed);
}

struct Metrics::Series
{
    Labels labels;
    Counter counter;
    Gauge gauge;
    std::unique_ptr<Histogram> histogram;
};

struct Metrics::Family
{
    QByteArray help;
    QByteArray type;
    std::map<Labels, std::unique_ptr<Series>> series;
    std::function<double()> function;
    QList<double> bounds;
};

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

QList<double> Metrics::durationBounds()
{
    return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

Metrics::Series &Metrics::series(const QByteArray &name, const QByteArray &help, const char *type, const Labels &labels,
                                 const QList<double> &bounds)
{
    const QMutexLocker lock(&m_mutex);
    auto &family = m_families[name];
    if (!family) {
        checkFamilyName(name, type);
        family = std::make_unique<Family>(Family{help, type, {}, {}, bounds});
    }
    ensure(family->type == type && !family->function, "one metric's name has one type");
    const bool full = family->series.size() >= seriesPerFamily && !family->series.contains(labels);
    const auto &key = full ? overflowLabels(labels) : labels;
    auto &found = family->series[key];
    if (!found) {
        checkLabels(key);
        found = std::make_unique<Series>();
        found->labels = key;
        if (family->type == "histogram")
            found->histogram = std::make_unique<Histogram>(family->bounds);
    }
    return *found;
}

Counter &Metrics::counter(const QByteArray &name, const QByteArray &help, const Labels &labels)
{
    return series(name, help, "counter", labels).counter;
}

Gauge &Metrics::gauge(const QByteArray &name, const QByteArray &help, const Labels &labels)
{
    return series(name, help, "gauge", labels).gauge;
}

Histogram &Metrics::histogram(const QByteArray &name, const QByteArray &help, const Labels &labels,
                              const QList<double> &bounds)
{
    return *series(name, help, "histogram", labels, bounds).histogram;
}

void Metrics::gaugeFunction(const QByteArray &name, const QByteArray &help, std::function<double()> value)
{
    checkFamilyName(name, "gauge");
    const QMutexLocker lock(&m_mutex);
    m_families[name] = std::make_unique<Family>(Family{help, "gauge", {}, std::move(value), {}});
}

QByteArray Metrics::exposition() const
{
    QByteArray out;
    const QMutexLocker lock(&m_mutex);
    for (const auto &[name, family] : m_families) {
        out += "# HELP " + name + " " + QByteArray(family->help).replace("\\", "\\\\").replace("\n", "\\n") + "\n";
        out += "# TYPE " + name + " " + family->type + "\n";
        if (family->function)
            out += name + " " + numberText(family->function()) + "\n";
        for (const auto &[labels, one] : family->series) {
            if (one->histogram)
                writeHistogram(out, name, labels, *one->histogram);
            else
                out += name + labelText(labels) + " "
                    + numberText(family->type == "counter" ? one->counter.value() : one->gauge.value()) + "\n";
        }
    }
    return out + processFigures();
}

} // namespace companion::ops
