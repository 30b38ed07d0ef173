#pragma once

#include "Measures.h"

namespace companion::lab {

struct ReportPlaces
{
    QString source; // the project
    QString data; // the published sets
    QString rules; // the rule files
};

// docs/moderation-evaluation.md, whole. Counts only.
QString report(const Measures &measures, const moderation::RuleScreen &rules, const std::vector<Sample> &own,
               const ReportPlaces &places);

} // namespace companion::lab
