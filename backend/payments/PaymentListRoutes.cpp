// What operators see beside the payments themselves: subscriptions, disputes, and every webhook that came.

#include "payments/PaymentLists.h"
#include "payments/PaymentRoutes.h"
#include "payments/PaymentStories.h"

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
            .paged = true,
            .cursor = true};
}

// What a list is narrowed by: page, provider, user.
struct Narrowing
{
    PageRequest page;
    ListPlace place;
    std::optional<Provider> provider;
    std::optional<UserId> user;
};

Result<Narrowing> narrowingOf(const api::Call &call)
{
    const auto page = call.page();
    const auto place = page ? ListPlace::of(*page) : std::unexpected(page.error());
    const auto provider = place ? call.queryValue<Provider>(u"provider"_s) : std::unexpected(place.error());
    if (!provider)
        return std::unexpected(provider.error());
    const auto asked = call.query(u"user"_s);
    const auto user = asked ? UserId::parse(*asked) : std::nullopt;
    if (asked && !user)
        return std::unexpected(api::Call::invalidQuery({{u"/query/user"_s, u"must be a UUID"_s}}));
    return Narrowing{*page, *place, *provider, user};
}

api::QueryParameter searchParameter()
{
    return {"q", "A user's id or part of their email or name, or the provider's id of it"};
}

void addSubscriptions(api::Api &api)
{
    auto list = listEndpoint(u"/subscriptions"_s, u"Subscriptions, newest first"_s, listReaders);
    list.answers = {api::answer<Page<AdminSubscription>>()};
    list.query = {{"user", "Only this user's, by id"},
                  searchParameter(),
                  {"provider", "Only by this provider", JsonType<Provider>::schema({})},
                  {"tier", "Only to this tier", JsonType<Tier>::schema({})},
                  {"status", "Only in this state", JsonType<SubscriptionStatus>::schema({})}};
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = narrowingOf(call);
        const auto status = by ? call.queryValue<SubscriptionStatus>(u"status"_s) : std::unexpected(by.error());
        const auto tier = status ? call.queryValue<Tier>(u"tier"_s) : std::unexpected(status.error());
        if (!tier)
            return std::unexpected(tier.error());
        const auto search = ListSearch::of(db, call.query(u"q"_s));
        const auto rows = db.rows("payments.find_subscriptions",
                                  {{"id", std::nullopt},
                                   {"user_id", by->user},
                                   {"provider", by->provider},
                                   {"status", *status},
                                   {"tier", *tier},
                                   {"now", db.now()},
                                   {"q", search.text},
                                   {"q_id", search.id},
                                   {"q_users", search.users},
                                   {"before_us", by->place.before_us},
                                   {"before_id", by->place.beforeId},
                                   {"limit", by->page.limit + 1},
                                   {"offset", by->page.offset}});
        return api::ok(listPage(by->page, rows, &adminSubscriptionIn, [&] {
            return db
                .one("payments.count_subscriptions",
                     {{"user_id", by->user},
                      {"provider", by->provider},
                      {"status", *status},
                      {"tier", *tier},
                      {"now", db.now()},
                      {"q", search.text},
                      {"q_id", search.id},
                      {"q_users", search.users}})
                .integer("total");
        }));
    });

    auto one = listEndpoint(u"/subscriptions/{id}"_s, u"One subscription with its history and payments"_s, listReaders);
    one.paged = one.cursor = false;
    one.answers = {api::answer<SubscriptionHistory>()};
    api.act(one, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<SubscriptionKey>();
        if (!id)
            return std::unexpected(id.error());
        const auto history = PaymentStories().history(db, *id);
        return history ? Result<http::Reply>(api::ok(*history))
                       : refuse(ErrorCode::NotFound, u"There is no such subscription."_s);
    });
}

void addDisputes(api::Api &api)
{
    auto list = listEndpoint(u"/disputes"_s, u"Disputed payments, newest first"_s, listReaders);
    list.answers = {api::answer<Page<AdminDispute>>()};
    list.query = {{"user", "Only this user's, by id"},
                  searchParameter(),
                  {"provider", "Only by this provider", JsonType<Provider>::schema({})},
                  {"state", "Only in this state", JsonType<DisputeState>::schema({})}};
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = narrowingOf(call);
        const auto state = by ? call.queryValue<DisputeState>(u"state"_s) : std::unexpected(by.error());
        if (!state)
            return std::unexpected(state.error());
        const auto search = ListSearch::of(db, call.query(u"q"_s));
        const auto rows = db.rows("payments.find_disputes",
                                  {{"user_id", by->user},
                                   {"provider", by->provider},
                                   {"state", *state},
                                   {"q", search.text},
                                   {"q_id", search.id},
                                   {"q_users", search.users},
                                   {"before_us", by->place.before_us},
                                   {"before_id", by->place.beforeId},
                                   {"limit", by->page.limit + 1},
                                   {"offset", by->page.offset}});
        return api::ok(listPage(by->page, rows, &adminDisputeIn, [&] {
            return db
                .one("payments.count_disputes",
                     {{"user_id", by->user},
                      {"provider", by->provider},
                      {"state", *state},
                      {"q", search.text},
                      {"q_id", search.id},
                      {"q_users", search.users}})
                .integer("total");
        }));
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
                  {"status", "Only in this state", statusSchema()},
                  {"event", "The provider's id of it"}};
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = narrowingOf(call);
        if (!by)
            return std::unexpected(by.error());
        const auto status = call.query(u"status"_s);
        if (status && !statusSchema()[u"enum"_s].toArray().contains(*status))
            return std::unexpected(api::Call::invalidQuery({{u"/query/status"_s, u"must be a webhook's status"_s}}));
        const auto event = call.query(u"event"_s);
        const auto rows = db.rows("payments.find_webhooks",
                                  {{"provider", by->provider},
                                   {"status", status},
                                   {"event_id", event},
                                   {"before_us", by->place.before_us},
                                   {"before_id", by->place.beforeId},
                                   {"limit", by->page.limit + 1},
                                   {"offset", by->page.offset}});
        return api::ok(listPage(by->page, rows, &adminWebhookIn, [&] {
            return db
                .one("payments.count_webhooks", {{"provider", by->provider}, {"status", status}, {"event_id", event}})
                .integer("total");
        }));
    });
}

// After what stood in its way was put right: a product's name at a provider, a price.
void addApplyingAgain(api::Api &api, const PaymentParts &parts)
{
    auto again = listEndpoint(u"/webhooks/{id}/apply"_s, u"Apply again a webhook that waits or could not be applied"_s,
                              {Role::Finance});
    again.method = http::Method::Post;
    again.paged = again.cursor = false;
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
        const AdminWebhook after = adminWebhookIn(db.one("payments.webhook", {{"id", *id}}));
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
