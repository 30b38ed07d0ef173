#include "api/Api.h"
#include "chat/ChatRoutes.h"

#include <algorithm>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

struct Feedback
{
    QString rating;
    std::optional<QString> note;

    static constexpr const char *modelName = "Feedback";
    static constexpr auto fields()
    {
        return std::tuple(field("rating", &Feedback::rating, {.pattern = "up|down"}),
                          field("note", &Feedback::note, {.maxLength = 1000}));
    }
};

struct Report
{
    QString reason;

    static constexpr const char *modelName = "Report";
    static constexpr auto fields()
    {
        return std::tuple(field("reason", &Report::reason, {.minLength = 1, .maxLength = 1000}));
    }
};

api::Endpoint endpoint(http::Method method, const QString &path, const QString &summary)
{
    return {.method = method, .path = u"/api/v1/chat/"_s + path, .tag = u"Chat"_s, .summary = summary};
}

std::unexpected<Refusal> noSession()
{
    return refuse(ErrorCode::NotFound, u"There is no such session."_s);
}

Result<Message> messageOf(const api::Call &call, db::Session &db)
{
    const auto id = call.id<MessageId>();
    if (!id)
        return std::unexpected(id.error());
    const auto message = SessionStore().message(db, *id);
    if (!message)
        return refuse(ErrorCode::NotFound, u"There is no such message."_s);
    return *message;
}

// 204, and what was forgotten with it.
http::Reply removed(const std::optional<MemoryReceipt> &receipt)
{
    http::Reply reply = http::Reply::noContent();
    if (receipt)
        reply.with("Deletion-Receipt", receipt->id.toString().toLatin1());
    return reply;
}

void addSessions(api::Api &api, const ChatService &chat)
{
    auto open = endpoint(http::Method::Post, u"sessions"_s, u"Open a session with a character"_s);
    open.body = schemaOf<NewSession>();
    open.answers = {{.status = 201, .schema = schemaOf<ChatSession>(), .headers = {"Location"}}};
    open.refusals = {ErrorCode::NotFound,      ErrorCode::ModeUnavailable,   ErrorCode::TierRequired,
                     ErrorCode::AgeUnverified, ErrorCode::RegionUnavailable, ErrorCode::RailUnavailable};
    api.act(open, [&chat](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<NewSession>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto session = chat.open(db, call.account(), *wanted);
        if (!session)
            return std::unexpected(session.error());
        return api::created(*session).with("Location", "/api/v1/chat/sessions/" + session->id.toString().toLatin1());
    });

    auto list = endpoint(http::Method::Get, u"sessions"_s, u"The user's sessions, the latest first"_s);
    list.answers = {api::answer<Page<ChatSession>>()};
    list.paged = true;
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        if (!page)
            return std::unexpected(page.error());
        return api::ok(SessionStore().list(db, call.user(), *page));
    });
}

void addOneSession(api::Api &api, const ChatService &chat)
{
    auto get = endpoint(http::Method::Get, u"sessions/{id}"_s, u"One session"_s);
    get.answers = {api::answer<ChatSession>()};
    api.act(get, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<SessionId>();
        const auto session = id ? SessionStore().find(db, *id) : std::nullopt;
        return session ? Result<http::Reply>(api::ok(*session)) : noSession();
    });

    auto rename = endpoint(http::Method::Patch, u"sessions/{id}"_s, u"Rename a session"_s);
    rename.body = schemaOf<SessionPatch>();
    rename.answers = {api::answer<ChatSession>()};
    api.act(rename, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto patch = call.body<SessionPatch>();
        if (!patch)
            return std::unexpected(patch.error());
        const auto id = call.id<SessionId>();
        if (!id || !SessionStore().rename(db, *id, patch->title))
            return noSession();
        return api::ok(*SessionStore().find(db, *id));
    });

    auto remove =
        endpoint(http::Method::Delete, u"sessions/{id}"_s, u"Delete a session with its messages and memories"_s);
    remove.answers = {{.status = 204, .headers = {"Deletion-Receipt"}}};
    remove.refusals = {ErrorCode::TurnInProgress};
    api.act(remove, [&chat](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<SessionId>();
        if (!id)
            return noSession();
        const auto receipt = chat.removeSession(db, call.user(), *id);
        return receipt ? Result<http::Reply>(removed(*receipt)) : std::unexpected(receipt.error());
    });
}

void addMessages(api::Api &api, const ChatService &chat)
{
    auto list = endpoint(http::Method::Get, u"sessions/{id}/messages"_s, u"Messages; the cursor goes back in time"_s);
    list.answers = {api::answer<Page<Message>>()};
    list.cursor = true;
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        if (!page)
            return std::unexpected(page.error());
        const auto id = call.id<SessionId>();
        if (!id || !SessionStore().find(db, *id))
            return noSession();
        const auto messages = SessionStore().messages(db, *id, *page);
        return messages ? Result<http::Reply>(api::ok(*messages)) : std::unexpected(messages.error());
    });

    auto remove =
        endpoint(http::Method::Delete, u"messages/{id}"_s, u"Delete one message and what is remembered of it"_s);
    remove.answers = {{.status = 204, .headers = {"Deletion-Receipt"}}};
    api.act(remove, [&chat](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto message = messageOf(call, db);
        if (!message)
            return std::unexpected(message.error());
        const auto receipt = chat.removeMessage(db, call.user(), message->id);
        return receipt ? Result<http::Reply>(removed(*receipt)) : std::unexpected(receipt.error());
    });
}

void addOpinions(api::Api &api, const moderation::ModerationStore &moderation)
{
    auto rate = endpoint(http::Method::Post, u"messages/{id}/feedback"_s, u"Thumbs up or down for a reply"_s);
    rate.body = schemaOf<Feedback>();
    rate.answers = {{204}};
    api.act(rate, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto feedback = call.body<Feedback>();
        if (!feedback)
            return std::unexpected(feedback.error());
        const auto message = messageOf(call, db);
        if (!message)
            return std::unexpected(message.error());
        SessionStore().keepFeedback(db, *message, call.user(), feedback->rating, feedback->note);
        return http::Reply::noContent();
    });

    auto report = endpoint(http::Method::Post, u"messages/{id}/report"_s, u"Report a message to the operator"_s);
    report.body = schemaOf<Report>();
    report.answers = {{202}};
    api.act(report, [&moderation](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<Report>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto message = messageOf(call, db);
        if (!message)
            return std::unexpected(message.error());
        moderation::Verdict verdict;
        verdict.action = moderation::Action::Block;
        verdict.direction =
            message->role == MessageRole::User ? moderation::Direction::Input : moderation::Direction::Output;
        verdict.mode = message->mode;
        verdict.category = u"user_report"_s;
        verdict.rule = u"user_report"_s;
        moderation.record(db,
                          {.user = call.user(),
                           .session = message->sessionId,
                           .message = message->id,
                           .verdict = verdict,
                           .text = wanted->reason + u"\n\n"_s + message->content});
        http::Reply reply;
        reply.status = 202;
        return reply;
    });
}

} // namespace

void addSessionRoutes(api::Api &api, const ChatService &chat, const moderation::ModerationStore &moderation)
{
    addSessions(api, chat);
    addOneSession(api, chat);
    addMessages(api, chat);
    addOpinions(api, moderation);
}

} // namespace companion::chat
