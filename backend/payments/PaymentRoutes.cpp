#include "payments/PaymentRoutes.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

const QString market = u"/api/v1/market"_s;

api::Endpoint post(const QString &path, const QString &summary)
{
    return {.method = http::Method::Post,
            .path = market + path,
            .tag = u"Market"_s,
            .summary = summary,
            .refusals = {ErrorCode::Conflict, ErrorCode::ProviderFailed, ErrorCode::NotImplemented}};
}

Buyer buyerIn(const api::Call &call)
{
    return {call.user(), call.account().user.email};
}

template <Described T>
Result<http::Reply> replyOf(const Result<T> &model, int status)
{
    return model ? Result<http::Reply>(api::ok(*model, status)) : std::unexpected(model.error());
}

void addBuying(api::Api &api, const PaymentParts &parts)
{
    auto buy = post(u"/buy_credits"_s, u"Buy a credit package: a checkout to go to, or a store's receipt"_s);
    buy.body = schemaOf<PurchaseRequest>();
    buy.answers = {api::answer<StartedPayment>(201)};
    buy.refusals << ErrorCode::NotFound;
    buy.idempotencyKeyRequired = true;
    api.onLoopOnce(buy, [desk = &parts.desk](const api::Call &call, const auto &done) {
        const auto wanted = call.body<PurchaseRequest>();
        if (!wanted)
            return done(std::unexpected(wanted.error()));
        desk->buy(buyerIn(call), *wanted, call.idempotencyKey(),
                  [done](const Result<StartedPayment> &started) { done(replyOf(started, 201)); });
    });

    auto subscribe = post(u"/subscribe"_s,
                          u"Subscribe to a tier, or change the one that runs: up at once, down at the "
                          "period's end"_s);
    subscribe.body = schemaOf<SubscribeRequest>();
    subscribe.answers = {api::answer<StartedPayment>(201)};
    subscribe.idempotencyKeyRequired = true;
    api.onLoopOnce(subscribe, [desk = &parts.desk](const api::Call &call, const auto &done) {
        const auto wanted = call.body<SubscribeRequest>();
        if (!wanted)
            return done(std::unexpected(wanted.error()));
        desk->subscribe(buyerIn(call), *wanted, call.idempotencyKey(),
                        [done](const Result<StartedPayment> &started) { done(replyOf(started, 201)); });
    });
}

void addCanceling(api::Api &api, const PaymentParts &parts)
{
    const auto cancel = [] {
        auto endpoint = post(u"/cancel"_s, u"Cancel the subscription at the period's end"_s);
        endpoint.answers = {api::answer<SubscriptionState>()};
        return endpoint;
    }();
    api.onLoop(cancel, [&api, parts, cancel](const http::Exchange &exchange, const api::Entry &entry) {
        const auto answer = [&api, cancel, exchange, entry](const Result<SubscriptionState> &state) {
            api.answer(exchange, cancel, replyOf(state, 200), entry.headers);
        };
        parts.operators.act(
            &parts.desk,
            [account = parts.account, claims = entry.claims](db::Session &db) -> Result<UserId> {
                const auto found = account(db, claims);
                return found ? Result<UserId>(found->id()) : std::unexpected(found.error());
            },
            [answer, desk = &parts.desk, service = &parts.subscriptions](const Result<UserId> &user) {
                user ? desk->cancel(*user, answer, *service) : answer(std::unexpected(user.error()));
            });
    });
}

void addPortal(api::Api &api, const PaymentParts &parts)
{
    const auto portal = [] {
        auto endpoint = post(u"/portal"_s, u"The provider's own page for your cards, bills and subscription"_s);
        endpoint.body = schemaOf<PortalRequest>();
        endpoint.answers = {api::answer<PortalLink>(201)};
        endpoint.refusals = {ErrorCode::NotFound, ErrorCode::ProviderFailed, ErrorCode::NotImplemented};
        return endpoint;
    }();
    api.onLoop(portal, [&api, parts, portal](const http::Exchange &exchange, const api::Entry &entry) {
        const auto answer = [&api, portal, exchange, entry](const Result<PortalLink> &link) {
            api.answer(exchange, portal, replyOf(link, 201), entry.headers);
        };
        const auto object = api::readJsonObject(exchange.request());
        const auto wanted = object ? fromJson<PortalRequest>(*object, UnknownFields::Refuse)
                                   : Result<PortalRequest>(std::unexpected(object.error()));
        if (!wanted)
            return answer(std::unexpected(wanted.error()));
        parts.operators.act(
            &parts.desk,
            [account = parts.account, claims = entry.claims](db::Session &db) -> Result<UserId> {
                const auto found = account(db, claims);
                return found ? Result<UserId>(found->id()) : std::unexpected(found.error());
            },
            [answer, wanted, desk = &parts.desk](const Result<UserId> &user) {
                user ? desk->openPortal(*user, *wanted, answer) : answer(std::unexpected(user.error()));
            });
    });
}

void addLooking(api::Api &api, const PaymentParts &parts)
{
    api.act({.path = market + u"/subscription"_s,
             .tag = u"Market"_s,
             .summary = u"The tier that counts now, and the subscription"_s,
             .answers = {api::answer<SubscriptionState>()}},
            [service = &parts.subscriptions](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                return api::ok(service->stateOf(db, call.user()));
            });
    api.act({.path = market + u"/payments"_s,
             .tag = u"Market"_s,
             .summary = u"Your payments, newest first"_s,
             .answers = {api::answer<Page<Payment>>()},
             .paged = true},
            [checkouts = &parts.checkouts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto page = call.page();
                return page ? Result<http::Reply>(api::ok(checkouts->ofUser(db, call.user(), *page)))
                            : std::unexpected(page.error());
            });
    api.act({.path = market + u"/payments/{id}"_s,
             .tag = u"Market"_s,
             .summary = u"One of your payments"_s,
             .answers = {api::answer<Payment>()}},
            [checkouts = &parts.checkouts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto id = call.id<PaymentId>();
                const auto payment = id ? checkouts->find(db, *id) : std::nullopt; // row-level security: one's own
                return payment ? Result<http::Reply>(api::ok(*payment))
                               : refuse(ErrorCode::NotFound, u"There is no such payment."_s);
            });
}

const char *wordFor(Taken::What what)
{
    switch (what) {
    case Taken::What::Applied:
        return "applied";
    case Taken::What::Duplicate:
        return "duplicate";
    case Taken::What::Waiting:
        return "waiting";
    case Taken::What::Unusable:
        return "kept";
    }
    return "";
}

} // namespace

void addMarketRoutes(api::Api &api, const PaymentParts &parts)
{
    addBuying(api, parts);
    addPortal(api, parts);
    addCanceling(api, parts);
    addLooking(api, parts);
}

// 200 once it is kept, whatever could be done with it: the provider need not send it again. 400: not believed.
void addWebhookRoutes(api::Api &api, const PaymentParts &parts)
{
    for (const Provider kind : parts.desk.providers()) {
        const api::Endpoint endpoint{
            .method = http::Method::Post,
            .path = u"/api/v1/webhooks/"_s + toText(kind),
            .tag = u"Webhooks"_s,
            .summary = u"What %1 tells; the signature is checked on the raw body"_s.arg(toText(kind)),
            .access = api::Access::everybody(),
            .body = {{u"type"_s, u"object"_s}},
            .answers = {{200,
                         {{u"type"_s, u"object"_s},
                          {u"properties"_s,
                           QJsonObject{
                               {u"status"_s,
                                QJsonObject{{u"type"_s, u"string"_s},
                                            {u"enum"_s,
                                             QJsonArray{u"applied"_s, u"duplicate"_s, u"waiting"_s, u"kept"_s}}}}}}}}},
            .refusals = {ErrorCode::MalformedRequest, ErrorCode::PayloadTooLarge, ErrorCode::ProviderFailed},
            .rate = api::Rate::None};
        api.onLoop(endpoint,
                   [&api, endpoint, kind, desk = &parts.desk](const http::Exchange &exchange, const api::Entry &entry) {
                       desk->webhook(kind, {exchange.request().body, exchange.request().headers.all()},
                                     [=, &api](const Result<Taken> &taken) {
                                         if (!taken)
                                             return api.refuse(exchange, endpoint, taken.error(), entry.headers);
                                         api.answer(exchange, endpoint,
                                                    http::Reply::json(
                                                        {{u"status"_s, QString::fromLatin1(wordFor(taken->what))}}),
                                                    entry.headers);
                                     });
                   });
    }
}

} // namespace companion::payments
