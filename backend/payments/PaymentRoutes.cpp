#include "payments/PaymentRoutes.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

const QString market = u"/api/v1/market"_s;

// The account as it stands, then the story; the answer with the entry's headers whatever it is.
class MarketCall
{
public:
    MarketCall(api::Api &api, const PaymentParts &parts, const api::Endpoint &endpoint, http::Exchange exchange,
               api::Entry entry)
        : m_api(api)
        , m_parts(parts)
        , m_endpoint(endpoint)
        , m_exchange(std::move(exchange))
        , m_entry(std::move(entry))
    {
    }

    void withBuyer(const std::function<void(const Buyer &)> &then) const
    {
        m_parts.operators.act(
            &m_parts.desk,
            [account = m_parts.account, claims = m_entry.claims](db::Session &db) -> Result<Buyer> {
                const auto found = account(db, claims);
                return found ? Result<Buyer>(Buyer{found->id(), found->user.email}) : std::unexpected(found.error());
            },
            [call = *this, then](const Result<Buyer> &buyer) {
                buyer ? then(*buyer) : call.answer(std::unexpected(buyer.error()));
            });
    }
    template <Described T>
    Result<T> body() const
    {
        const auto object = api::readJsonObject(m_exchange.request());
        return object ? fromJson<T>(*object, UnknownFields::Refuse) : std::unexpected(object.error());
    }
    QString key() const { return QString::fromLatin1(m_exchange.request().headers.value("Idempotency-Key")); }
    void answer(const Result<http::Reply> &reply) const
    {
        m_api.answer(m_exchange, m_endpoint, reply, m_entry.headers);
    }
    template <Described T>
    void answerWith(const Result<T> &model, int status) const
    {
        answer(model ? Result<http::Reply>(api::ok(*model, status)) : std::unexpected(model.error()));
    }

private:
    api::Api &m_api;
    const PaymentParts m_parts;
    const api::Endpoint m_endpoint;
    http::Exchange m_exchange;
    api::Entry m_entry;
};

api::Endpoint post(const QString &path, const QString &summary)
{
    return {.method = http::Method::Post,
            .path = market + path,
            .tag = u"Market"_s,
            .summary = summary,
            .refusals = {ErrorCode::Conflict, ErrorCode::ProviderFailed, ErrorCode::NotImplemented}};
}

void addBuying(api::Api &api, const PaymentParts &parts)
{
    auto buy = post(u"/buy_credits"_s, u"Buy a credit package: a checkout to go to, or a store's receipt"_s);
    buy.body = schemaOf<PurchaseRequest>();
    buy.answers = {api::answer<StartedPayment>(201)};
    buy.refusals << ErrorCode::NotFound << ErrorCode::IdempotencyKeyReused;
    buy.idempotencyKeyRequired = true;
    api.onLoop(buy, [&api, parts, buy](const http::Exchange &exchange, const api::Entry &entry) {
        const MarketCall call(api, parts, buy, exchange, entry);
        const auto wanted = call.body<PurchaseRequest>();
        if (!wanted)
            return call.answer(std::unexpected(wanted.error()));
        call.withBuyer([=, &desk = parts.desk](const Buyer &buyer) {
            desk.buy(buyer, *wanted, call.key(),
                     [call](const Result<StartedPayment> &started) { call.answerWith(started, 201); });
        });
    });

    auto subscribe = post(u"/subscribe"_s,
                          u"Subscribe to a tier, or change the one that runs: up at once, down at the "
                          "period's end"_s);
    subscribe.body = schemaOf<SubscribeRequest>();
    subscribe.answers = {api::answer<StartedPayment>(201)};
    subscribe.refusals << ErrorCode::IdempotencyKeyReused;
    subscribe.idempotencyKeyRequired = true;
    api.onLoop(subscribe, [&api, parts, subscribe](const http::Exchange &exchange, const api::Entry &entry) {
        const MarketCall call(api, parts, subscribe, exchange, entry);
        const auto wanted = call.body<SubscribeRequest>();
        if (!wanted)
            return call.answer(std::unexpected(wanted.error()));
        call.withBuyer([=, &desk = parts.desk](const Buyer &buyer) {
            desk.subscribe(buyer, *wanted, call.key(),
                           [call](const Result<StartedPayment> &started) { call.answerWith(started, 201); });
        });
    });

    auto cancel = post(u"/cancel"_s, u"Cancel the subscription at the period's end"_s);
    cancel.answers = {api::answer<SubscriptionState>()};
    api.onLoop(cancel, [&api, parts, cancel](const http::Exchange &exchange, const api::Entry &entry) {
        const MarketCall call(api, parts, cancel, exchange, entry);
        call.withBuyer([=, &desk = parts.desk, service = &parts.subscriptions](const Buyer &buyer) {
            desk.cancel(
                buyer.id, [call](const Result<SubscriptionState> &state) { call.answerWith(state, 200); }, *service);
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
