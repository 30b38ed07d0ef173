#include "ledger/Refusals.h"

#include <algorithm>
#include <array>

namespace companion::ledger {

namespace {

struct KnownCode
{
    const char *name; // as the functions of migrations 0003 and 0014 answer it
    ErrorCode code;
    const char *detail;
};

constexpr std::array knownCodes{
    KnownCode{"invalid", ErrorCode::Invalid, "The terms are out of range."},
    KnownCode{"not_found", ErrorCode::NotFound, "There is no such user, hold or transaction."},
    KnownCode{"key_reused", ErrorCode::Conflict, "The key belongs to an operation with other terms."},
    KnownCode{"insufficient_credits", ErrorCode::InsufficientCredits, "There are not enough credits."},
    KnownCode{"wallet_full", ErrorCode::Invalid, "The wallet cannot take that much."},
    KnownCode{"hold_captured", ErrorCode::Conflict, "The hold has been captured."},
    KnownCode{"hold_voided", ErrorCode::Conflict, "The hold has been voided."},
    KnownCode{"hold_expired", ErrorCode::Conflict, "The hold's deadline has passed."},
    KnownCode{"exceeds_hold", ErrorCode::Invalid, "The amount is more than the hold's."},
    KnownCode{"reversed_already", ErrorCode::Conflict, "The transaction has been reversed already."},
    KnownCode{"not_reversible", ErrorCode::Conflict, "A transaction of this kind cannot be reversed."},
    KnownCode{"not_refundable", ErrorCode::Conflict, "Only what a purchase granted can be taken back."},
    KnownCode{"exceeds_purchase", ErrorCode::Invalid, "The amount is more than is left of the purchase."},
    KnownCode{"exceeds_returned", ErrorCode::Invalid, "The amount is more than was taken back."},
    KnownCode{"exceeds_debt", ErrorCode::Invalid, "The amount is more than is owed."},
};

} // namespace

std::optional<Refusal> refusalIn(const db::Row &row)
{
    const QString name = row.text("code");
    if (name == QLatin1StringView("ok"))
        return std::nullopt;
    const auto known =
        std::ranges::find_if(knownCodes, [&](const KnownCode &k) { return name == QLatin1StringView(k.name); });
    ensure(known != knownCodes.end(), "every code of the ledger's functions is known");
    Refusal refusal{.code = known->code,
                    .detail = QString::fromLatin1(known->detail),
                    .log = QStringLiteral("ledger: %1").arg(name)};
    if (known->code == ErrorCode::InsufficientCredits) {
        refusal.required = row.credits("required");
        refusal.available = row.credits("available");
    }
    return refusal;
}

} // namespace companion::ledger
