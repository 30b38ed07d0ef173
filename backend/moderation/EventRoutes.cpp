#include "common/models/Admin.h"
#include "moderation/ModerationRoutes.h"

#include <algorithm>

namespace companion::moderation {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> keepers{Role::Support};

api::Endpoint endpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin/moderation/"_s + path,
            .tag = u"Admin: moderation"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

template <class IdType>
Result<std::optional<IdType>> queryId(const api::Call &call, const QString &name)
{
    const auto text = call.query(name);
    if (!text)
        return std::optional<IdType>();
    const auto id = IdType::parse(*text);
    if (!id)
        return std::unexpected(api::Call::invalidQuery({{u"/query/"_s + name, u"must be an id"_s}}));
    return id;
}

Result<ModerationFilter> filterOf(const api::Call &call)
{
    const auto user = queryId<UserId>(call, u"user_id"_s);
    const auto action = user ? call.queryValue<Action>(u"action"_s) : std::unexpected(user.error());
    const auto severity = action ? call.queryValue<Severity>(u"severity"_s) : std::unexpected(action.error());
    const auto status = severity ? call.queryValue<EventStatus>(u"status"_s) : std::unexpected(severity.error());
    const auto from = status ? call.queryTime(u"from"_s) : std::unexpected(status.error());
    const auto to = from ? call.queryTime(u"to"_s) : std::unexpected(from.error());
    if (!to)
        return std::unexpected(to.error());
    return ModerationFilter{.user = *user,
                            .action = *action,
                            .severity = *severity,
                            .category = call.query(u"category"_s),
                            .status = *status,
                            .from = *from,
                            .to = *to};
}

// An act on a record: what it does to the user, the record's new standing, the log's line.
class Acts
{
public:
    explicit Acts(ModerationParts parts)
        : m_(std::move(parts))
    {
    }

    Result<http::Reply> perform(const api::Call &call, db::Session &db) const
    {
        const auto wanted = call.body<ModerationAct>();
        const auto id = wanted ? call.id<ModerationEventId>() : std::unexpected(wanted.error());
        const auto before = id ? m_.store.find(db, *id) : std::unexpected(id.error());
        if (!before)
            return std::unexpected(before.error());
        const EventAct act = *fromText<EventAct>(wanted->act);
        if (const auto done = follow(call, db, *wanted, act, before->user); !done)
            return std::unexpected(done.error());
        const auto after = m_.store.actOn(db, *id, act, call.user(), wanted->reason);
        if (!after)
            return std::unexpected(after.error());
        m_.audit.append(db,
                        {.actor = call.user().toString(),
                         .act = u"moderation."_s + wanted->act,
                         .target = u"moderation_event:"_s + id->toString(),
                         .reason = wanted->reason,
                         .before = QJsonObject{{u"status"_s, before->status}},
                         .after = QJsonObject{{u"status"_s, after->status}, {u"user_id"_s, before->user.toString()}},
                         .requestId = QString::fromLatin1(call.request().id)});
        return api::ok(*after);
    }

private:
    Result<void> follow(const api::Call &call, db::Session &db, const ModerationAct &wanted, EventAct act,
                        const UserId &user) const
    {
        if (act == EventAct::Warn)
            m_.store.warn(db, user,
                          wanted.message.value_or(u"Something you wrote broke the content policy. Please keep to it; "
                                                  "accounts that break it again are suspended."_s));
        if (act != EventAct::Suspend)
            return {};
        if (user == call.user())
            return refuse(ErrorCode::Conflict, u"Nobody may do this to their own account."_s);
        const auto account = m_.accounts.find(db, user, db.now());
        if (!account)
            return refuse(ErrorCode::NotFound, u"There is no such user."_s);
        const bool isOperator = std::ranges::any_of(account->user.roles, [](Role role) { return role != Role::User; });
        if (isOperator && !call.account().has(Role::Admin))
            return refuse(ErrorCode::RoleRequired, u"Only an admin changes the account of an operator."_s);
        const auto changed = m_.accounts.change(db, user, {.status = UserStatus::Suspended}, db.now());
        return changed ? Result<void>() : std::unexpected(changed.error());
    }

    ModerationParts m_;
};

void addQueue(api::Api &api, const ModerationParts &parts)
{
    auto list = endpoint(http::Method::Get, u"events"_s,
                         u"What moderation stopped, answered or flagged, newest first"_s, keepers);
    list.answers = {api::answer<Page<ModerationRecord>>()};
    list.query = {{"user_id", "Only this user's"},
                  {"action", "flag, block or crisis", JsonType<Action>::schema({})},
                  {"severity", "normal or high", JsonType<Severity>::schema({})},
                  {"category", "Only this category"},
                  {"status", "open, dismissed, actioned or escalated", JsonType<EventStatus>::schema({})},
                  {"from", "From this time", JsonType<QDateTime>::schema({})},
                  {"to", "Before this time", JsonType<QDateTime>::schema({})}};
    list.cursor = true;
    api.act(list, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto filter = page ? filterOf(call) : std::unexpected(page.error());
        if (!filter)
            return std::unexpected(filter.error());
        return api::ok(parts.store.events(db, *filter, *page));
    });

    auto one = endpoint(http::Method::Get, u"events/{id}"_s, u"One record, without its text"_s, keepers);
    one.answers = {api::answer<ModerationRecord>()};
    api.act(one, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<ModerationEventId>();
        const auto event = id ? parts.store.find(db, *id) : std::unexpected(id.error());
        return event ? Result<http::Reply>(api::ok(*event)) : std::unexpected(event.error());
    });

    auto text = endpoint(http::Method::Post, u"events/{id}/text"_s,
                         u"The text of a record, for a reason; the look is in the audit log"_s, keepers);
    text.body = schemaOf<Reason>();
    text.answers = {api::answer<ModerationText>()};
    api.act(text, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto reason = call.body<Reason>();
        const auto id = reason ? call.id<ModerationEventId>() : std::unexpected(reason.error());
        const auto event = id ? parts.store.find(db, *id) : std::unexpected(id.error());
        const auto opened = event ? parts.store.text(db, *id) : std::unexpected(event.error());
        if (!opened)
            return std::unexpected(opened.error());
        parts.audit.append(db,
                           {.actor = call.user().toString(),
                            .act = u"moderation.read_text"_s,
                            .target = u"moderation_event:"_s + id->toString(),
                            .reason = reason->reason,
                            .requestId = QString::fromLatin1(call.request().id)});
        return api::ok(ModerationText{*opened, event->spanStart, event->spanLength});
    });

    auto act = endpoint(http::Method::Post, u"events/{id}/act"_s,
                        u"Dismiss it, warn or suspend the user, or escalate it"_s, keepers);
    act.body = schemaOf<ModerationAct>();
    act.answers = {api::answer<ModerationRecord>()};
    act.refusals = {ErrorCode::Conflict};
    api.act(act, [acts = Acts(parts)](const api::Call &call, db::Session &db) { return acts.perform(call, db); });
}

void addReports(api::Api &api, const ModerationParts &parts)
{
    auto crises = endpoint(http::Method::Get, u"crises"_s,
                           u"How many crises were answered, by month, country and kind; names nobody"_s,
                           {Role::Support, Role::Viewer});
    crises.answers = {api::answer<Page<CrisisCount>>()};
    crises.query = {{"year",
                     "Of this year; by default the present one",
                     {{u"type"_s, u"integer"_s}, {u"minimum"_s, 2000}, {u"maximum"_s, 2999}}}};
    api.act(crises, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto text = call.query(u"year"_s);
        bool isNumber = true;
        const int year = text ? text->toInt(&isNumber) : db.now().date().year();
        if (!isNumber || year < 2000 || year > 2999)
            return std::unexpected(api::Call::invalidQuery({{u"/query/year"_s, u"must be a year"_s}}));
        Page<CrisisCount> page;
        page.items = parts.store.crisisCounts(db, year);
        page.limit = static_cast<int>(page.items.size());
        return api::ok(page);
    });

    auto told = endpoint(http::Method::Get, u"disclosures"_s,
                         u"When a user was told that this is an AI, why, and in which words"_s, keepers);
    told.answers = {api::answer<Page<DisclosureRecord>>()};
    told.query = {{"user_id", "Only this user's"}, {"session_id", "Only this session's"}};
    told.paged = true;
    api.act(told, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto user = page ? queryId<UserId>(call, u"user_id"_s) : std::unexpected(page.error());
        const auto session = user ? queryId<SessionId>(call, u"session_id"_s) : std::unexpected(user.error());
        if (!session)
            return std::unexpected(session.error());
        return api::ok(parts.store.disclosures(db, *user, *session, *page));
    });
}

void addNotices(api::Api &api, const ModerationParts &parts)
{
    api::Endpoint list{.path = u"/api/v1/notices"_s,
                       .tag = u"Chat"_s,
                       .summary = u"What the product owes you to read: warnings, personas that are going to change"_s};
    list.answers = {api::answer<Page<UserNotice>>()};
    api.act(list, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        Page<UserNotice> page;
        page.items = parts.store.notices(db, call.user());
        page.limit = 50;
        return api::ok(page);
    });

    api::Endpoint seen{.method = http::Method::Post,
                       .path = u"/api/v1/notices/{id}/seen"_s,
                       .tag = u"Chat"_s,
                       .summary = u"A notice has been read"_s};
    seen.answers = {{204}};
    api.act(seen, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<MessageId>();
        if (!id || !parts.store.seeNotice(db, call.user(), id->toString()))
            return refuse(ErrorCode::NotFound, u"There is no such notice."_s);
        return http::Reply::noContent();
    });
}

} // namespace

void addModerationRoutes(api::Api &api, const ModerationParts &parts)
{
    addQueue(api, parts);
    addReports(api, parts);
    addNotices(api, parts);
    addRuleRoutes(api, parts);
}

} // namespace companion::moderation
