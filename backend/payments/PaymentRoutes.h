#pragma once

#include "api/Api.h"
#include "identity/AuditLog.h"
#include "payments/PaymentDesk.h"

namespace companion::payments {

class SandboxProvider;

struct PaymentParts
{
    PaymentDesk &desk;
    db::Workers &operators;
    const Checkouts &checkouts;
    const billing::SubscriptionService &subscriptions;
    const ledger::Ledger &ledger;
    const PaymentBooks &books;
    const identity::AuditLog &audit;
    // Status as the database says now: unauthenticated, account_suspended.
    std::function<Result<identity::Account>(db::Session &, const identity::TokenClaims &)> account;
};

void addMarketRoutes(api::Api &api, const PaymentParts &parts);
// POST /webhooks/{stripe,apple,google,sandbox}, one for each provider that is configured.
void addWebhookRoutes(api::Api &api, const PaymentParts &parts);
void addPaymentAdminRoutes(api::Api &api, const PaymentParts &parts);
// GET /admin/books/revenue
void addRevenueRoutes(api::Api &api);
// Subscriptions, disputes, webhooks.
void addPaymentListRoutes(api::Api &api, const PaymentParts &parts);
// GET, PUT /market/consents
void addStoreRoutes(api::Api &api);
// The sandbox's checkout page, and what a test may have it do.
void addSandboxRoutes(api::Api &api, SandboxProvider &sandbox, db::Workers &operators);

} // namespace companion::payments
