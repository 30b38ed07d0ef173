#include "api/Api.h"
#include "billing/MarketRoutes.h"
#include "common/models/Products.h"
#include "identity/AuditLog.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> catalogueReaders{Role::Finance, Role::Support, Role::Viewer};

api::Endpoint catalogueEndpoint(http::Method method, const QString &path, const QString &summary,
                                const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin"_s + path,
            .tag = u"Admin: products and tiers"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

QByteArray etagOf(const db::Row &row)
{
    return "v" + QByteArray::number(row.integer("version"));
}

AdminProduct productIn(const db::Row &row)
{
    return {.code = row.text("code"),
            .name = row.text("name"),
            .price = Money::fromMinor(row.integer("price_minor"), row.text("currency")).amount(),
            .currency = row.text("currency"),
            .credits = row.credits("credits"),
            .bonusPercent = row.decimal<Factor>("bonus_percent"),
            .bonusDays =
                row.isNull("bonus_days") ? std::nullopt : std::optional(static_cast<int>(row.integer("bonus_days"))),
            .rank = static_cast<int>(row.integer("rank")),
            .active = row.boolean("active")};
}

AdminTier tierIn(const db::Row &row)
{
    return {.code = row.value<Tier>("code"),
            .name = row.text("name"),
            .price = Money::fromMinor(row.integer("price_minor"), row.text("currency")).amount(),
            .currency = row.text("currency"),
            .dailyCredits = row.credits("daily_credits"),
            .requestsPerMinute = static_cast<int>(row.integer("requests_per_minute")),
            .discount = row.decimal<Factor>("discount"),
            .longTermMemory = row.boolean("long_term_memory"),
            .spicy = row.boolean("spicy"),
            .priority = static_cast<int>(row.integer("priority")),
            .trialDays = static_cast<int>(row.integer("trial_days"))};
}

Result<qint64> minorOf(const QString &price, const QString &currency)
{
    const auto money = Money::parse(price, currency);
    if (!money || money->minor() < 0 || money->minor() > 100'000'000)
        return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                       .detail = u"The price is none in this currency."_s,
                                       .errors = {{u"/price"_s, u"must be an amount in the currency's own digits"_s}}});
    return money->minor();
}

template <Described T>
void logCatalogue(const identity::AuditLog &audit, const api::Call &call, db::Session &db, const QString &act,
                  const QString &target, const std::optional<T> &before, const T &after)
{
    audit.append(db,
                 {.actor = call.user().toString(),
                  .act = act,
                  .target = target,
                  .reason = {},
                  .before = before ? std::optional(toJson(*before)) : std::nullopt,
                  .after = toJson(after),
                  .requestId = QString::fromLatin1(call.request().id)});
}

api::Parameter codeOf(const char *example, const char *description)
{
    return {"code",
            description,
            {{u"type"_s, u"string"_s}, {u"maxLength"_s, 40}, {u"examples"_s, QJsonArray{QString::fromUtf8(example)}}}};
}

Refusal otherCode()
{
    return {.code = ErrorCode::Invalid,
            .detail = u"The code is not the path's."_s,
            .errors = {{u"/code"_s, u"must be the path's"_s}}};
}

Result<http::Reply> putProduct(const api::Call &call, db::Session &db, const identity::AuditLog &audit,
                               const AdminProduct &wanted, const std::optional<db::Row> &before)
{
    const auto minor = minorOf(wanted.price, wanted.currency);
    if (!minor)
        return std::unexpected(minor.error());
    const auto inRange = [](qint64 units, qint64 most) { return units >= 0 && units <= most; };
    if (*minor == 0 || wanted.credits.isZero() || !inRange(wanted.credits.units(), 10'000'000'000)
        || !inRange(wanted.bonusPercent.units(), 10'000'000))
        return refuse(ErrorCode::Invalid,
                      u"price and credits are more than 0, credits at most 1000000, bonus_percent 0 to 1000."_s);
    const auto row = db.one("billing.put_product",
                            {{"code", wanted.code},
                             {"name", wanted.name},
                             {"price_minor", *minor},
                             {"currency", wanted.currency},
                             {"credits", wanted.credits},
                             {"bonus_percent", wanted.bonusPercent},
                             {"bonus_days", wanted.bonusDays},
                             {"rank", wanted.rank},
                             {"active", wanted.active}});
    const AdminProduct after = productIn(row);
    logCatalogue(audit, call, db, before ? u"product.change"_s : u"product.create"_s,
                 QString(u"product:"_s + wanted.code), before ? std::optional(productIn(*before)) : std::nullopt,
                 after);
    return api::ok(after, before ? 200 : 201).with("ETag", '"' + etagOf(row) + '"');
}

void addProducts(api::Api &api, const identity::AuditLog &audit)
{
    auto list = catalogueEndpoint(http::Method::Get, u"/products"_s, u"All credit packages"_s, catalogueReaders);
    list.answers = {api::answer<AdminProductList>()};
    api.act(list, [](const api::Call &, db::Session &db) -> Result<http::Reply> {
        AdminProductList products;
        for (const auto &row : db.rows("billing.all_products"))
            products.items.append(productIn(row));
        return api::ok(products);
    });

    auto one = catalogueEndpoint(http::Method::Get, u"/products/{code}"_s, u"One credit package with its ETag"_s,
                                 catalogueReaders);
    one.answers = {api::answer<AdminProduct>()};
    one.segments = {codeOf("popular", "The package's code")};
    one.etag = true;
    api.act(one, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto row = db.first("billing.one_product", {{"code", call.request().param(u"code"_s)}});
        return row ? Result<http::Reply>(api::ok(productIn(*row)).with("ETag", '"' + etagOf(*row) + '"'))
                   : refuse(ErrorCode::NotFound, u"There is no such package."_s);
    });

    auto make = catalogueEndpoint(http::Method::Post, u"/products"_s, u"Make a credit package"_s, {});
    make.body = schemaOf<AdminProduct>();
    make.answers = {api::answer<AdminProduct>(201)};
    make.refusals = {ErrorCode::Conflict};
    make.etag = true;
    api.act(make, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<AdminProduct>();
        if (!wanted)
            return std::unexpected(wanted.error());
        if (db.first("billing.lock_product", {{"code", wanted->code}}))
            return refuse(ErrorCode::Conflict, u"There is a package with this code already."_s);
        return putProduct(call, db, audit, *wanted, std::nullopt);
    });

    auto change = catalogueEndpoint(http::Method::Put, u"/products/{code}"_s,
                                    u"Change a credit package; what was sold keeps its terms"_s, {});
    change.body = schemaOf<AdminProduct>();
    change.answers = {api::answer<AdminProduct>()};
    change.segments = {codeOf("popular", "The package's code")};
    change.etag = true;
    change.ifMatchRequired = true;
    api.act(change, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<AdminProduct>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const QString code = call.request().param(u"code"_s);
        const auto before = db.first("billing.lock_product", {{"code", code}});
        if (!before)
            return refuse(ErrorCode::NotFound, u"There is no such package."_s);
        if (wanted->code != code)
            return std::unexpected(otherCode());
        if (const auto matches = call.checkIfMatch(etagOf(*before)); !matches)
            return std::unexpected(matches.error());
        return putProduct(call, db, audit, *wanted, before);
    });
}

void addTiers(api::Api &api, const identity::AuditLog &audit)
{
    auto list = catalogueEndpoint(http::Method::Get, u"/tiers"_s, u"The tiers"_s, catalogueReaders);
    list.answers = {api::answer<AdminTierList>()};
    api.act(list, [](const api::Call &, db::Session &db) -> Result<http::Reply> {
        AdminTierList tiers;
        for (const auto &row : db.rows("billing.all_tiers"))
            tiers.items.append(tierIn(row));
        return api::ok(tiers);
    });

    auto one = catalogueEndpoint(http::Method::Get, u"/tiers/{code}"_s, u"One tier with its ETag"_s, catalogueReaders);
    one.answers = {api::answer<AdminTier>()};
    one.segments = {codeOf("premium", "free, premium or vip")};
    one.etag = true;
    api.act(one, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto row = db.first("billing.one_tier", {{"code", call.request().param(u"code"_s)}});
        return row ? Result<http::Reply>(api::ok(tierIn(*row)).with("ETag", '"' + etagOf(*row) + '"'))
                   : refuse(ErrorCode::NotFound, u"There is no such tier."_s);
    });

    auto put = catalogueEndpoint(http::Method::Put, u"/tiers/{code}"_s,
                                 u"Change a tier: what it gives counts from the next request on"_s, {});
    put.body = schemaOf<AdminTier>();
    put.answers = {api::answer<AdminTier>()};
    put.segments = {codeOf("premium", "free, premium or vip")};
    put.etag = true;
    put.ifMatchRequired = true;
    api.act(put, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<AdminTier>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const QString code = call.request().param(u"code"_s);
        const auto before = db.first("billing.lock_tier", {{"code", code}});
        if (!before)
            return refuse(ErrorCode::NotFound, u"There is no such tier."_s);
        if (toText(wanted->code) != code)
            return std::unexpected(otherCode());
        if (const auto matches = call.checkIfMatch(etagOf(*before)); !matches)
            return std::unexpected(matches.error());
        const auto minor = minorOf(wanted->price, wanted->currency);
        if (!minor)
            return std::unexpected(minor.error());
        const bool inRange = !wanted->discount.isNegative() && wanted->discount.units() <= 10'000
            && !wanted->dailyCredits.isNegative() && wanted->dailyCredits.units() <= 10'000'000'000;
        if (!inRange)
            return refuse(ErrorCode::Invalid, u"discount is 0 to 1, daily_credits 0 to 1000000."_s);
        const auto row = db.one("billing.put_tier",
                                {{"code", code},
                                 {"name", wanted->name},
                                 {"price_minor", *minor},
                                 {"currency", wanted->currency},
                                 {"daily_credits", wanted->dailyCredits},
                                 {"requests_per_minute", wanted->requestsPerMinute},
                                 {"discount", wanted->discount},
                                 {"long_term_memory", wanted->longTermMemory},
                                 {"spicy", wanted->spicy},
                                 {"priority", wanted->priority},
                                 {"trial_days", wanted->trialDays}});
        const AdminTier after = tierIn(row);
        logCatalogue(audit, call, db, u"tier.change"_s, QString(u"tier:"_s + code), std::optional(tierIn(*before)),
                     after);
        return api::ok(after).with("ETag", '"' + etagOf(row) + '"');
    });
}

} // namespace

void addProductRoutes(api::Api &api, const identity::AuditLog &audit)
{
    addProducts(api, audit);
    addTiers(api, audit);
}

} // namespace companion::billing
