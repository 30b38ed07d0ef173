#include "admin/UserStore.h"

namespace companion::admin {

using namespace Qt::StringLiterals;

namespace {

AdminUser userFrom(const db::Row &row)
{
    QList<Role> roles;
    for (const QString &role : row.texts("roles"))
        if (const auto known = fromText<Role>(role))
            roles.append(*known);
    return {.id = row.id<UserId>("id"),
            .displayName = row.text("display_name"),
            .email = row.text("email"),
            .roles = roles,
            .tier = row.value<Tier>("tier"),
            .tierExpiresAt = row.maybeTime("tier_expires_at"),
            .status = row.value<UserStatus>("status"),
            .ageVerified = row.boolean("age_verified"),
            .region = row.maybeText("region"),
            .balance = row.credits("balance"),
            .createdAt = row.time("created_at"),
            .lastSeenAt = row.maybeTime("last_seen_at")};
}

// What the user typed, as a pattern that matches it literally anywhere.
std::optional<QString> patternOf(const std::optional<QString> &text)
{
    if (!text || text->trimmed().isEmpty())
        return std::nullopt;
    QString escaped = text->trimmed();
    escaped.replace(u'\\', u"\\\\"_s).replace(u'%', u"\\%"_s).replace(u'_', u"\\_"_s);
    return QString(u'%' + escaped + u'%');
}

} // namespace

Page<AdminUser> UserStore::search(db::Session &db, const UserFilter &filter, const PageRequest &page) const
{
    const auto id = filter.text ? UserId::parse(filter.text->trimmed()) : std::nullopt;
    const auto pattern = id ? std::nullopt : patternOf(filter.text);
    Page<AdminUser> list;
    list.limit = page.limit;
    list.offset = page.offset;
    for (const db::Row &row : db.rows("admin.search_users",
                                      {{"id", id},
                                       {"pattern", pattern},
                                       {"tier", filter.tier},
                                       {"status", filter.status},
                                       {"now", db.now()},
                                       {"limit", page.limit},
                                       {"offset", page.offset}}))
        list.items.append(userFrom(row));
    list.total =
        db.one("admin.count_users",
               {{"id", id}, {"pattern", pattern}, {"tier", filter.tier}, {"status", filter.status}, {"now", db.now()}})
            .integer("total");
    list.hasMore = page.offset + list.items.size() < *list.total;
    return list;
}

std::optional<AdminUser> UserStore::find(db::Session &db, const UserId &user) const
{
    const auto row = db.first("admin.find_user", {{"id", user}, {"now", db.now()}});
    return row ? std::optional(userFrom(*row)) : std::nullopt;
}

} // namespace companion::admin
