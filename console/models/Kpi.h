#pragma once

#include "common/models/Admin.h"
#include "console/models/Roles.h"

#include <QList>

namespace companion::console {

// One figure of the dashboard, ready to be shown.
struct Kpi
{
    QString key; // "revenue": for tests and object names
    QString title;
    QString value;
    QString change; // against the range before: "+12.5 %"; empty where that cannot be said
    QString before; // the earlier value, for the hover text
    Tone tone = Tone::Neutral; // of the change: whether it is good news
    QString note; // "target 5 %"
    bool compared = true; // against a range before
};

// The figures that lead the page, and those that stand small beneath them.
struct KpiSheet
{
    QList<Kpi> leading;
    QList<Kpi> supporting;
};

KpiSheet kpiSheet(const StatsSummary &stats);

} // namespace companion::console
