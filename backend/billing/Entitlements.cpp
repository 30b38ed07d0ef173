#include "billing/Entitlements.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

std::optional<Entitlements> EntitlementStore::of(db::Session &db, const UserId &user) const
{
    const auto row = db.first("billing.entitlements", {{"user_id", user}, {"now", db.now()}});
    if (!row)
        return std::nullopt;
    Entitlements entitlements{.terms = TierStore::read(*row), .debt = row->credits("debt")};
    entitlements.withheld = m_withholdInDebt && entitlements.debt > Credits();
    if (entitlements.withheld) {
        entitlements.terms.spicy = false;
        entitlements.terms.longTermMemory = false;
    }
    return entitlements;
}

Result<void> EntitlementStore::checkSpicy(db::Session &db, const UserId &user, Credits amount) const
{
    const auto row = db.first("billing.spicy_terms", {{"user_id", user}, {"amount", amount}, {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::NotFound, u"There is no such user."_s);
    if (!row->boolean("tier_has_it"))
        return refuse(ErrorCode::TierRequired, u"The spicy mode needs premium or vip."_s);
    if (m_withholdInDebt && row->credits("debt") > Credits())
        return refuse(ErrorCode::TierRequired,
                      u"The spicy mode is withheld while %1 credits are owed for a refunded purchase."_s.arg(
                          row->credits("debt").toString()));
    if (!row->boolean("age_verified"))
        return refuse(ErrorCode::AgeUnverified, u"The spicy mode needs a verified age."_s);
    if (!row->boolean("region_allows"))
        return refuse(ErrorCode::RegionUnavailable, u"The spicy mode is not available in your region."_s);
    if (const auto rail = row->maybeText("rail_refused"))
        return refuse(ErrorCode::RailUnavailable,
                      u"What was paid through %1 cannot be used for the spicy mode."_s.arg(*rail));
    return {};
}

} // namespace companion::billing
