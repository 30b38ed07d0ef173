#include "llm/wire/WireHealth.h"

namespace companion::llm {

std::pair<QString, QString> WireHealth::state() const
{
    const QString row =
        QStringLiteral("%1: %2 failures in a row, the last: %3").arg(m_where).arg(m_failures).arg(m_why);
    if (m_failures >= m_downAfter)
        return {QStringLiteral("down"), row};
    if (m_failures >= m_degradedAfter)
        return {QStringLiteral("degraded"), row};
    if (!m_fallback.isEmpty())
        return {QStringLiteral("degraded"),
                QStringLiteral("%1: the fallback model %2 answers").arg(m_where, m_fallback)};
    return {QStringLiteral("ok"), m_where};
}

} // namespace companion::llm
