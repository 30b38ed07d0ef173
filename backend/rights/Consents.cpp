#include "rights/Consents.h"

namespace companion::rights {

Consent Consents::add(db::Session &db, const UserId &user, const ConsentRequest &request) const
{
    const Consent consent{.id = ConsentId::create(),
                          .kind = request.kind,
                          .version = request.version,
                          .given = request.given,
                          .createdAt = db.now()};
    db.execute("rights.add_consent",
               {{"id", consent.id},
                {"user_id", user},
                {"kind", consent.kind},
                {"version", consent.version},
                {"given", consent.given},
                {"now", consent.createdAt}});
    return consent;
}

Page<Consent> Consents::list(db::Session &db, const UserId &user, const PageRequest &page) const
{
    Page<Consent> found{
        .items = {}, .total = {}, .limit = page.limit, .offset = page.offset, .hasMore = false, .nextCursor = {}};
    for (const auto &row :
         db.rows("rights.consents", {{"user_id", user}, {"limit", page.limit}, {"offset", page.offset}}))
        found.items.append({.id = row.id<ConsentId>("id"),
                            .kind = row.value<ConsentKind>("kind"),
                            .version = row.text("version"),
                            .given = row.boolean("given"),
                            .createdAt = row.time("created_at")});
    found.total = db.one("rights.count_consents", {{"user_id", user}}).integer("total");
    found.hasMore = page.offset + found.items.size() < *found.total;
    return found;
}

} // namespace companion::rights
