#pragma once

#include "api/Api.h"
#include "chat/LiveTurns.h"
#include "common/models/Admin.h"
#include "llm/LanguageModel.h"
#include "ops/Metrics.h"

namespace companion::app {

struct OperationsParts
{
    ops::Metrics &metrics;
    QList<db::Workers *> lanes; // app, operators, bulk
    llm::LanguageModel &model;
    const chat::LiveTurns &live;
    QString metricsToken; // empty: /metrics on the loopback only
    bool production = false;
    std::function<bool()> isShuttingDown;
    QList<std::function<SystemComponent()>> others = {}; // asked each time, on the loop
};

// /health/*, /metrics, the API document and its readable page, /admin/system.
void addOperationsRoutes(api::Api &api, const OperationsParts &parts);

} // namespace companion::app
