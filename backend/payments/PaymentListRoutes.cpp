// What operators see beside the payments themselves: subscriptions, disputes, and every webhook that came.

#include "payments/PaymentRoutes.h"

#include <QJsonDocument>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> listReaders{Role::Finance, Role::Support, Role::Viewer};
using WebhookId = Id<struct WebhookTag>;

api::Endpoint listEndpoint(const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.path = u"/api/v1/admin"_s + path,
            .tag = u"Admin: payments"_s,
            .summary = summary,
            .access = api::Access::operators(roles),
            .paged = true};
}

template <class T>
Page<T> pageOf(const PageRequest &request, qint64 total, const db::Rows &rows, T (*read)(const db::Row &))
{
    Page<T> page;
    page.limit = request.limit;
    page.offset = request.offset;
    page.total = total;
    for (const auto &row : rows)
        page.items.append(read(row));
    page.hasMore = request.offset + page.items.size() < total;
    return page;
}

AdminSubscription subscriptionIn(const db::Row &row)
{
    AdminSubscription subscription{.id = row.text("id"),
                                   .userId = row.id<UserId>("user_id"),
                                   .user = row.text("who"),
                                   .provider = row.value<Provider>("provider"),
                                   .reference = row.text("reference"),
                                   .tier = row.value<Tier>("tier"),
                                   .nextTier = {},
                                   .status = row.value<SubscriptionStatus>("status"),
                                   .periodStart = row.time("period_start"),
                                   .periodEnd = row.time("period_end"),
                                   .entitledUntil = row.time("entitled_until"),
                                   .createdAt = row.time("created_at")};
    if (!row.isNull("next_tier"))
        subscription.nextTier = row.value<Tier>("next_tier");
    return subscription;
}

AdminDispute disputeIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .paymentId = row.id<PaymentId>("payment_id"),
            .userId = row.id<UserId>("user_id"),
            .user = row.text("who"),
            .provider = row.value<Provider>("provider"),
            .reference = row.text("reference"),
            .state = row.value<DisputeState>("state"),
            .amount = Money::fromMinor(row.integer("amount_minor"), row.text("currency")).amount(),
            .currency = row.text("currency"),
            .reason = row.text("reason"),
            .suspends = !row.isNull("suspended_at"),
            .openedAt = row.time("opened_at"),
            .closedAt = row.maybeTime("closed_at")};
}

AdminWebhook webhookIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .provider = row.value<Provider>("provider"),
            .eventId = row.maybeText("event_id"),
            .type = row.text("type"),
            .status = row.text("status"),
            .reason = row.maybeText("reason"),
            .deliveries = static_cast<int>(row.integer("deliveries")),
            .paymentId = row.maybeId<PaymentId>("payment_id"),
            .createdAt = row.time("created_at"),
            .receivedAt = row.time("received_at"),
            .lastAt = row.time("last_at"),
            .processedAt = row.maybeTime("processed_at")};
}

// What a list is narrowed by: page, provider, user.
struct Narrowing
{
    PageRequest page;
    std::optional<Provider> provider;
    std::optional<UserId> user;
};

Result<Narrowing> narrowingOf(const api::Call &call)
{
    const auto page = call.page();
    const auto provider = page ? call.queryValue<Provider>(u"provider"_s) : std::unexpected(page.error());
    if (!provider)
        return std::unexpected(provider.error());
    const auto asked = call.query(u"user"_s);
    const auto user = asked ? UserId::parse(*asked) : std::nullopt;
    if (asked && !user)
        return std::unexpected(api::Call::invalidQuery({{u"/query/user"_s, u"must be a UUID"_s}}));
    return Narrowing{*page, *provider, user};
}

void addSubscriptions(api::Api &api)
{
    auto list = listEndpoint(u"/subscriptions"_s, u"Subscriptions, newest first"_s, listReaders);
    list.answers = {api::answer<Page<AdminSubscription>>()};
    list.query = {{"user", "Only this user's, by id"},
                  {"provider", "Only by this provider", JsonType<Provider>::schema({})},
                  {"status", "Only in this state", JsonType<SubscriptionStatus>::schema({})}};
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = narrowingOf(call);
        const auto status = by ? call.queryValue<SubscriptionStatus>(u"status"_s) : std::unexpected(by.error());
        if (!status)
            return std::unexpected(status.error());
        const auto total =
            db.one("payments.count_subscriptions",
                   {{"user_id", by->user}, {"provider", by->provider}, {"status", *status}, {"now", db.now()}})
                .integer("total");
        return api::ok(pageOf(by->page, total,
                              db.rows("payments.find_subscriptions",
                                      {{"user_id", by->user},
                                       {"provider", by->provider},
                                       {"status", *status},
                                       {"now", db.now()},
                                       {"limit", by->page.limit},
                                       {"offset", by->page.offset}}),
                              &subscriptionIn));
    });
}

void addDisputes(api::Api &api)
{
    auto list = listEndpoint(u"/disputes"_s, u"Disputed payments, newest first"_s, listReaders);
    list.answers = {api::answer<Page<AdminDispute>>()};
    list.query = {{"user", "Only this user's, by id"},
                  {"provider", "Only by this provider", JsonType<Provider>::schema({})},
                  {"state", "Only in this state", JsonType<DisputeState>::schema({})}};
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = narrowingOf(call);
        const auto state = by ? call.queryValue<DisputeState>(u"state"_s) : std::unexpected(by.error());
        if (!state)
            return std::unexpected(state.error());
        const auto total =
            db.one("payments.count_disputes", {{"user_id", by->user}, {"provider", by->provider}, {"state", *state}})
                .integer("total");
        return api::ok(pageOf(by->page, total,
                              db.rows("payments.find_disputes",
                                      {{"user_id", by->user},
                                       {"provider", by->provider},
                                       {"state", *state},
                                       {"limit", by->page.limit},
                                       {"offset", by->page.offset}}),
                              &disputeIn));
    });
}

QJsonObject statusSchema()
{
    return {{u"type"_s, u"string"_s},
            {u"enum"_s, QJsonArray{u"received"_s, u"processed"_s, u"waiting"_s, u"failed"_s, u"refused"_s}}};
}

void addWebhookList(api::Api &api)
{
    auto list = listEndpoint(u"/webhooks"_s, u"Webhooks, believed or not, newest first"_s, {Role::Finance});
    list.answers = {api::answer<Page<AdminWebhook>>()};
    list.query = {{"provider", "Only by this provider", JsonType<Provider>::schema({})},
                  {"status", "Only in this state", statusSchema()}};
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = narrowingOf(call);
        if (!by)
            return std::unexpected(by.error());
        const auto status = call.query(u"status"_s);
        if (status && !statusSchema()[u"enum"_s].toArray().contains(*status))
            return std::unexpected(api::Call::invalidQuery({{u"/query/status"_s, u"must be a webhook's status"_s}}));
        const auto total =
            db.one("payments.count_webhooks", {{"provider", by->provider}, {"status", status}}).integer("total");
        return api::ok(pageOf(by->page, total,
                              db.rows("payments.find_webhooks",
                                      {{"provider", by->provider},
                                       {"status", status},
                                       {"limit", by->page.limit},
                                       {"offset", by->page.offset}}),
                              &webhookIn));
    });
}

// After what stood in its way was put right: a product's name at a provider, a price.
void addApplyingAgain(api::Api &api, const PaymentParts &parts)
{
    auto again = listEndpoint(u"/webhooks/{id}/apply"_s, u"Apply again a webhook that waits or could not be applied"_s,
                              {Role::Finance});
    again.method = http::Method::Post;
    again.paged = false;
    again.answers = {api::answer<AdminWebhook>()};
    again.refusals = {ErrorCode::Conflict};
    api.bareAct(again, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<WebhookId>();
        const auto before = id ? db.first("payments.webhook", {{"id", *id}}) : std::nullopt;
        if (!before)
            return refuse(ErrorCode::NotFound, u"There is no such webhook."_s);
        const auto facts = before->isNull("facts") ? Result<FactList>(std::unexpected(Refusal{}))
                                                   : fromJson<FactList>(before->object("facts"));
        if (!facts)
            return refuse(ErrorCode::Conflict, u"Nothing of this webhook can be applied."_s);
        const Taken taken = parts.books.applyKept(db, before->value<Provider>("provider"), id->toString(), *facts);
        if (taken.what == Taken::What::Duplicate)
            return refuse(ErrorCode::Conflict, u"This webhook is applied already."_s);
        const AdminWebhook after = webhookIn(db.one("payments.webhook", {{"id", *id}}));
        db::Transaction transaction(db);
        parts.audit.append(db,
                           {.actor = call.user().toString(),
                            .act = u"webhook.apply"_s,
                            .target = u"webhook:"_s + id->toString(),
                            .reason = {},
                            .before = QJsonObject{{u"status"_s, before->text("status")}},
                            .after = QJsonObject{{u"status"_s, after.status}},
                            .requestId = QString::fromLatin1(call.request().id)});
        transaction.commit();
        return api::ok(after);
    });
}

} // namespace

void addPaymentListRoutes(api::Api &api, const PaymentParts &parts)
{
    addSubscriptions(api);
    addDisputes(api);
    addWebhookList(api);
    addApplyingAgain(api, parts);
}

} // namespace companion::payments
