#include "admin/AdminRoutes.h"
#include "admin/UserStore.h"
#include "common/models/PaymentStory.h"

namespace companion::admin {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> readers{Role::Finance, Role::Support, Role::Viewer};

api::Endpoint endpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin/users"_s + path,
            .tag = u"Admin"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

Result<AdminUser> userOf(const api::Call &call, db::Session &db)
{
    const auto id = call.id<UserId>();
    const auto user = id ? UserStore().find(db, *id) : std::nullopt;
    return user ? Result<AdminUser>(*user) : refuse(ErrorCode::NotFound, u"There is no such user."_s);
}

// Else support could lock the admins out, one by one, and finance give itself credits.
Result<void> mayChange(const api::Call &call, const AdminUser &user)
{
    const bool isOperator = std::ranges::any_of(user.roles, [](Role role) { return role != Role::User; });
    if (isOperator && !call.account().has(Role::Admin))
        return refuse(ErrorCode::RoleRequired, u"Only an admin changes the account of an operator."_s);
    return {};
}

// What an act on a user's account is made of: the change, the reason, and the log's line with before and after.
struct AccountActs
{
    const identity::AccountStore &accounts;
    const identity::AuditLog &audit;

    Result<http::Reply> perform(const api::Call &call, db::Session &db, const QString &act, const QString &reason,
                                const std::function<Result<identity::Account>(const UserId &)> &change) const
    {
        const auto before = userOf(call, db);
        if (!before)
            return std::unexpected(before.error());
        if (const auto may = mayChange(call, *before); !may)
            return std::unexpected(may.error());
        const auto changed = change(before->id);
        if (!changed)
            return std::unexpected(changed.error());
        const auto after = UserStore().find(db, before->id);
        audit.append(db,
                     {.actor = call.user().toString(),
                      .act = act,
                      .target = identity::auditTarget(before->id),
                      .reason = reason,
                      .before = stateOf(*before),
                      .after = stateOf(*after),
                      .requestId = QString::fromLatin1(call.request().id)});
        return api::ok(*after);
    }

    static QJsonObject stateOf(const AdminUser &user)
    {
        return {{u"status"_s, toText(user.status)},
                {u"tier"_s, toText(user.tier)},
                {u"tier_expires_at"_s, user.tierExpiresAt ? json::timeText(*user.tierExpiresAt) : QString()}};
    }
};

void addReading(api::Api &api, const ledger::Ledger &ledger, const billing::TierStore &tiers,
                const billing::SubscriptionService &subscriptions)
{
    auto search = endpoint(http::Method::Get, {}, u"Find users by part of an email or name, or by id"_s, readers);
    search.answers = {api::answer<Page<AdminUser>>()};
    search.query = {{"q", "Part of the email or name, or a whole id"},
                    {"tier", "free, premium or vip", JsonType<Tier>::schema({})},
                    {"status", "active, suspended or erased", JsonType<UserStatus>::schema({})}};
    search.paged = true;
    api.act(search, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto tier = page ? call.queryValue<Tier>(u"tier"_s) : std::unexpected(page.error());
        const auto status = tier ? call.queryValue<UserStatus>(u"status"_s) : std::unexpected(tier.error());
        if (!status)
            return std::unexpected(status.error());
        return api::ok(UserStore().search(db, {call.query(u"q"_s), *tier, *status}, *page));
    });

    auto one = endpoint(http::Method::Get, u"/{id}"_s, u"One user"_s, readers);
    one.answers = {api::answer<AdminUser>()};
    api.act(one, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto user = userOf(call, db);
        return user ? Result<http::Reply>(api::ok(*user)) : std::unexpected(user.error());
    });

    auto tierAt = endpoint(http::Method::Get, u"/{id}/tier"_s,
                           u"The tier that counted at a moment, by when things took effect; now by default"_s, readers);
    tierAt.answers = {api::answer<TierAt>()};
    tierAt.query = {{"at", "The moment, RFC 3339", JsonType<QDateTime>::schema({})}};
    api.act(tierAt, [&subscriptions](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto user = userOf(call, db);
        const auto at = user ? call.queryTime(u"at"_s) : std::unexpected(user.error());
        if (!at)
            return std::unexpected(at.error());
        const QDateTime moment = at->value_or(db.now());
        return api::ok(TierAt{user->id, moment, subscriptions.tierAt(db, user->id, moment)});
    });

    auto wallet = endpoint(http::Method::Get, u"/{id}/wallet"_s, u"The user's wallet with its lots"_s, readers);
    wallet.answers = {api::answer<Balance>()};
    api.act(wallet, [&ledger, &tiers](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto user = userOf(call, db);
        if (!user)
            return std::unexpected(user.error());
        const auto balance = ledger.balance(db, user->id, tiers.terms(db, user->tier).dailyCredits);
        return balance ? Result<http::Reply>(api::ok(*balance)) : std::unexpected(balance.error());
    });

    auto history =
        endpoint(http::Method::Get, u"/{id}/transactions"_s, u"The user's transactions, newest first"_s, readers);
    history.answers = {api::answer<Page<Transaction>>()};
    history.query = {{"kind", "Only this kind", JsonType<TransactionKind>::schema({})},
                     {"from", "From this time", JsonType<QDateTime>::schema({})},
                     {"to", "Before this time", JsonType<QDateTime>::schema({})}};
    history.paged = true;
    history.cursor = true;
    api.act(history, [&ledger](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto user = userOf(call, db);
        const auto page = user ? call.page() : std::unexpected(user.error());
        const auto kind = page ? call.queryValue<TransactionKind>(u"kind"_s) : std::unexpected(page.error());
        const auto from = kind ? call.queryTime(u"from"_s) : std::unexpected(kind.error());
        const auto to = from ? call.queryTime(u"to"_s) : std::unexpected(from.error());
        if (!to)
            return std::unexpected(to.error());
        const auto list = ledger.transactions(db, {user->id, *kind, *from, *to}, *page);
        return list ? Result<http::Reply>(api::ok(*list)) : std::unexpected(list.error());
    });
}

void addAdjustments(api::Api &api, const ledger::Ledger &ledger, const identity::AuditLog &audit)
{
    auto adjust = endpoint(http::Method::Post, u"/{id}/adjustments"_s,
                           u"Give credits to a bucket, or take them with a negative amount"_s, {Role::Finance});
    adjust.body = schemaOf<AdjustmentRequest>();
    adjust.answers = {api::answer<Transaction>(201)};
    adjust.refusals = {ErrorCode::InsufficientCredits, ErrorCode::Conflict};
    adjust.idempotencyKeyRequired = true;
    api.act(adjust, [&ledger, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<AdjustmentRequest>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto user = userOf(call, db);
        const auto may = user ? mayChange(call, *user) : std::unexpected(user.error());
        if (!may)
            return std::unexpected(may.error());
        const auto done = ledger.adjust(db,
                                        {.user = user->id,
                                         .key = u"adjust:"_s + call.user().toString() + u':' + call.idempotencyKey(),
                                         .bucket = wanted->bucket,
                                         .amount = wanted->amount,
                                         .reason = wanted->reason,
                                         .actor = call.user()});
        if (!done)
            return std::unexpected(done.error());
        audit.append(db,
                     {.actor = call.user().toString(),
                      .act = u"wallet.adjust"_s,
                      .target = identity::auditTarget(user->id),
                      .reason = wanted->reason,
                      .before = QJsonObject{{u"total"_s, (done->balanceAfter.total() - done->amount).toString()}},
                      .after = QJsonObject{{u"total"_s, done->balanceAfter.total().toString()},
                                           {u"transaction_id"_s, done->id.toString()}},
                      .requestId = QString::fromLatin1(call.request().id)});
        return api::created(*done);
    });
}

void addAccountActs(api::Api &api, const AccountActs &acts)
{
    auto tier = endpoint(http::Method::Post, u"/{id}/tier"_s, u"Set the user's tier, until further notice"_s,
                         {Role::Finance, Role::Support});
    tier.body = schemaOf<TierChange>();
    tier.answers = {api::answer<AdminUser>()};
    api.act(tier, [acts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<TierChange>();
        if (!wanted)
            return std::unexpected(wanted.error());
        return acts.perform(call, db, u"user.tier"_s, wanted->reason, [&](const UserId &user) {
            return acts.accounts.setTier(db, user, wanted->tier, std::nullopt, db.now());
        });
    });

    const auto addStatus = [&](const QString &path, const QString &summary, UserStatus status) {
        auto change = endpoint(http::Method::Post, u"/{id}/"_s + path, summary, {Role::Support});
        change.body = schemaOf<Reason>();
        change.answers = {api::answer<AdminUser>()};
        change.refusals = {ErrorCode::Conflict};
        api.act(change, [acts, path, status](const api::Call &call, db::Session &db) -> Result<http::Reply> {
            const auto wanted = call.body<Reason>();
            if (!wanted)
                return std::unexpected(wanted.error());
            if (call.id<UserId>() == call.user())
                return refuse(ErrorCode::Conflict, u"Nobody may do this to their own account."_s);
            return acts.perform(call, db, u"user."_s + path, wanted->reason, [&](const UserId &user) {
                return acts.accounts.change(db, user, {.status = status}, db.now());
            });
        });
    };
    addStatus(u"suspend"_s, u"Suspend the account; it works from the next request"_s, UserStatus::Suspended);
    addStatus(u"restore"_s, u"Lift a suspension"_s, UserStatus::Active);
}

} // namespace

void addUserRoutes(api::Api &api, const ledger::Ledger &ledger, const billing::TierStore &tiers,
                   const billing::SubscriptionService &subscriptions, const identity::AccountStore &accounts,
                   const identity::AuditLog &audit)
{
    addReading(api, ledger, tiers, subscriptions);
    addAdjustments(api, ledger, audit);
    addAccountActs(api, {accounts, audit});
}

void addAuditRoutes(api::Api &api, const identity::AuditLog &audit)
{
    api::Endpoint list{
        .path = u"/api/v1/admin/audit"_s,
        .tag = u"Admin"_s,
        .summary = u"What operators did, newest first"_s,
        .access = api::Access::operators({Role::Finance, Role::Viewer}),
        .answers = {api::answer<Page<identity::AuditRecord>>()},
        .query = {{"actor", "Only by this user, or cli, or system"},
                  {"act", "Only this act, like user.suspend"},
                  {"target", "Only on this, like user:<id>"},
                  {"from", "From this time", JsonType<QDateTime>::schema({})},
                  {"to", "Before this time", JsonType<QDateTime>::schema({})}},
        .cursor = true,
    };
    api.act(list, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto from = page ? call.queryTime(u"from"_s) : std::unexpected(page.error());
        const auto to = from ? call.queryTime(u"to"_s) : std::unexpected(from.error());
        if (!to)
            return std::unexpected(to.error());
        const auto records =
            audit.list(db, {call.query(u"actor"_s), call.query(u"act"_s), call.query(u"target"_s), *from, *to}, *page);
        return records ? Result<http::Reply>(api::ok(*records)) : std::unexpected(records.error());
    });
}

} // namespace companion::admin
