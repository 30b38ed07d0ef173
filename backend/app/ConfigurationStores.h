#pragma once

#include "app/Configuration.h"
#include "payments/apple/AppleObjects.h"
#include "payments/google/GoogleApi.h"

namespace companion::app {

// What the settings of the app stores amount to, read as the providers need it. Unexpected: the variable, and what is
// wrong with it; never a secret's value.
struct StoreProblem
{
    QString variable;
    QString message;
};

struct AppleSetup
{
    payments::AppleVerifier verifier;
    QUrl api;
    jose::JwsKey key;
};

std::expected<AppleSetup, StoreProblem> appleSetup(const Configuration &configuration);
std::expected<payments::GoogleAccount, StoreProblem> googleAccount(const Configuration &configuration);

// Everything that is wrong, half set or not for production; `given` says whether a variable was set at all.
QList<StoreProblem> storeProblems(const Configuration &configuration,
                                  const std::function<bool(const QString &variable)> &given);

} // namespace companion::app
