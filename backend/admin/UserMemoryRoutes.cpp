#include "admin/AdminRoutes.h"
#include "admin/UserStore.h"

#include <algorithm>

namespace companion::admin {

using namespace Qt::StringLiterals;

// A POST, for each look leaves its line in the audit log.
void addUserMemoryRoutes(api::Api &api, const memory::MemoryService &memories, const identity::AuditLog &audit)
{
    api::Endpoint look{
        .method = http::Method::Post,
        .path = u"/api/v1/admin/users/{id}/memories"_s,
        .tag = u"Admin"_s,
        .summary = u"Look at what is remembered of the user; the audit log says who looked, and why"_s,
        .access = api::Access::operators({Role::Support}),
        .body = schemaOf<MemoryLook>(),
        .answers = {api::answer<Page<Memory>>()},
    };
    api.act(look, [&memories, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<MemoryLook>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto id = call.id<UserId>();
        const auto user = id ? UserStore().find(db, *id) : std::nullopt;
        if (!user)
            return refuse(ErrorCode::NotFound, u"There is no such user."_s);
        const bool isOperator = std::ranges::any_of(user->roles, [](Role role) { return role != Role::User; });
        if (isOperator && !call.account().has(Role::Admin))
            return refuse(ErrorCode::RoleRequired, u"Only an admin looks at what is remembered of an operator."_s);
        const auto found =
            memories.list(db, user->id, wanted->kind, {.limit = wanted->limit, .offset = wanted->offset});
        audit.append(db,
                     {.actor = call.user().toString(),
                      .act = u"memories.read"_s,
                      .target = identity::auditTarget(user->id),
                      .reason = wanted->reason,
                      .after = QJsonObject{{u"offset"_s, wanted->offset}, {u"shown"_s, found.items.size()}},
                      .requestId = QString::fromLatin1(call.request().id)});
        return api::ok(found);
    });
}

} // namespace companion::admin
