#pragma once

#include <QString>
#include <utility>

namespace companion::llm {

// What recent generations say of the provider: degraded after some failures in a row or when a fallback had to answer,
// down after more. One success of the configured model makes it ok again.
class WireHealth
{
public:
    explicit WireHealth(const QString &where, int degradedAfter = 3, int downAfter = 10)
        : m_where(where)
        , m_degradedAfter(degradedAfter)
        , m_downAfter(downAfter)
    {
    }

    void succeeded()
    {
        m_failures = 0;
        m_fallback.clear();
    }
    void succeededWithFallback(const QString &model)
    {
        m_failures = 0;
        m_fallback = model;
    }
    void failed(const QString &why)
    {
        ++m_failures;
        m_why = why;
    }

    std::pair<QString, QString> state() const;

private:
    QString m_where;
    int m_degradedAfter;
    int m_downAfter;
    int m_failures = 0;
    QString m_why;
    QString m_fallback;
};

} // namespace companion::llm
