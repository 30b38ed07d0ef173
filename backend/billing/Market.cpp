#include "billing/Market.h"

#include "common/money/Int128.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

namespace {

Money priceOfRow(const db::Row &row)
{
    return Money::fromMinor(row.integer("price_minor"), row.text("currency"));
}

TierOffer tierOffer(const db::Row &row)
{
    QStringList features{u"chat"_s};
    if (row.boolean("long_term_memory"))
        features << u"long_term_memory"_s;
    if (row.boolean("spicy"))
        features << u"spicy"_s;
    if (row.integer("priority") > 0)
        features << u"priority"_s;
    const Money price = priceOfRow(row);
    return {.code = row.value<Tier>("code"),
            .name = row.text("name"),
            .price = price.amount(),
            .currency = price.currency(),
            .dailyCredits = row.credits("daily_credits"),
            .requestsPerMinute = static_cast<int>(row.integer("requests_per_minute")),
            .discount = row.decimal<Factor>("discount"),
            .features = features};
}

PackageOffer packageOffer(const db::Row &row)
{
    const Money price = priceOfRow(row);
    const Credits credits = row.credits("credits");
    const Credits bonus = row.credits("bonus_credits");
    return {.code = row.text("code"),
            .name = row.text("name"),
            .price = price.amount(),
            .currency = price.currency(),
            .credits = credits,
            .bonusCredits = bonus,
            .effectivePrice = effectivePrice(price, credits + bonus)};
}

} // namespace

QString effectivePrice(const Money &price, Credits credits)
{
    ensure(credits > Credits(), "a package holds credits");
    // In units of 1e-4 currency per credit: minor / 10^digits × 1e4 / (units / 1e4), rounded half up.
    Int128 scale = 1;
    for (int i = 0; i < Money::minorDigits(price.currency()); ++i)
        scale *= 10;
    const Int128 numerator = static_cast<Int128>(price.minor()) * 10'000 * 10'000;
    const Int128 denominator = scale * credits.units();
    const auto units = static_cast<std::int64_t>((2 * numerator + denominator) / (2 * denominator));
    return fixed_point::format(units, 4);
}

struct Market::Payment
{
    UserId user;
    QString provider;
    QString reference;
    QString kind;
    QString product;
    Money price;
};

ProductList Market::products(db::Session &db) const
{
    ProductList list;
    for (const db::Row &row : db.rows("billing.tiers"))
        list.tiers.append(tierOffer(row));
    for (const db::Row &row : db.rows("billing.packages"))
        list.packages.append(packageOffer(row));
    return list;
}

std::pair<PaymentId, bool> Market::insertPayment(db::Session &db, const Payment &payment) const
{
    const auto made = db.first("billing.insert_payment",
                               {{"id", PaymentId::create()},
                                {"user_id", payment.user},
                                {"provider", payment.provider},
                                {"reference", payment.reference},
                                {"kind", payment.kind},
                                {"product", payment.product},
                                {"amount_minor", static_cast<qint64>(payment.price.minor())},
                                {"currency", payment.price.currency()},
                                {"now", db.now()}});
    if (made)
        return {made->id<PaymentId>("id"), true};
    const auto earlier =
        db.one("billing.find_payment", {{"provider", payment.provider}, {"reference", payment.reference}});
    return {earlier.id<PaymentId>("id"), false};
}

void Market::finish(db::Session &db, const PaymentId &payment, const db::Row &offer,
                    const std::optional<TransactionId> &purchase, const std::optional<TransactionId> &bonus,
                    const std::optional<QString> &subscription) const
{
    const auto ofPeriod = [&](const QDateTime &time) { return subscription ? std::optional(time) : std::nullopt; };
    db.execute("billing.finish_package",
               {{"id", payment},
                {"credits", purchase ? std::optional(offer.credits("credits")) : std::nullopt},
                {"bonus_credits", purchase ? std::optional(offer.credits("bonus_credits")) : std::nullopt},
                {"purchase", purchase},
                {"bonus", bonus},
                {"subscription", subscription},
                {"period_start", ofPeriod(db.now())},
                {"period_end", ofPeriod(db.now().addMonths(1))}});
}

Result<PaymentId> Market::recordPackage(db::Session &db, const PaidPackage &paid) const
{
    const auto package = db.first("billing.package", {{"code", paid.product}});
    if (!package)
        return refuse(ErrorCode::NotFound, u"There is no such package."_s);
    const auto [payment, isNew] =
        insertPayment(db, {paid.user, paid.provider, paid.reference, u"credits"_s, paid.product, priceOfRow(*package)});
    if (!isNew)
        return payment;

    const QJsonObject metadata{{u"payment_id"_s, payment.toString()}, {u"product"_s, paid.product}};
    const QString key = u"payment:"_s + payment.toString();
    const auto bought = m_ledger.grant(db,
                                       {.user = paid.user,
                                        .key = key,
                                        .bucket = Bucket::Purchased,
                                        .amount = package->credits("credits"),
                                        .kind = TransactionKind::Purchase,
                                        .expiresAt = std::nullopt,
                                        .description = package->text("name"),
                                        .metadata = metadata});
    if (!bought)
        return std::unexpected(bought.error());
    if (package->credits("bonus_credits").isZero()) {
        finish(db, payment, *package, bought->id, std::nullopt, std::nullopt);
        return payment;
    }
    const auto bonus = m_ledger.grant(db,
                                      {.user = paid.user,
                                       .key = key + u":bonus"_s,
                                       .bucket = Bucket::Bonus,
                                       .amount = package->credits("bonus_credits"),
                                       .kind = TransactionKind::BonusGrant,
                                       .expiresAt = db.now().addDays(bonusLifetime_days),
                                       .description = package->text("name"),
                                       .metadata = metadata});
    if (!bonus)
        return std::unexpected(bonus.error());
    finish(db, payment, *package, bought->id, bonus->id, std::nullopt);
    return payment;
}

Result<PaymentId> Market::recordTier(db::Session &db, const PaidTier &paid) const
{
    const auto row = db.one("billing.tier", {{"code", paid.tier}});
    const auto [payment, isNew] =
        insertPayment(db,
                      {paid.user, paid.provider, paid.reference, u"subscription"_s, row.text("code"), priceOfRow(row)});
    if (!isNew)
        return payment;
    const QDateTime now = db.now();
    const auto told = db.one("billing.subscription_told",
                             {{"user_id", paid.user},
                              {"provider", paid.provider},
                              {"reference", paid.reference},
                              {"customer", std::nullopt},
                              {"status", SubscriptionStatus::Canceled}, // nobody renews it
                              {"tier", paid.tier},
                              {"next_tier", std::nullopt},
                              {"period_start", now},
                              {"period_end", now.addMonths(1)},
                              {"entitled_until", now.addMonths(1)},
                              {"version", now.toMSecsSinceEpoch()},
                              {"effective_at", now},
                              {"event", std::nullopt},
                              {"now", now}});
    ensure(told.text("code") == "ok"_L1, "a payment has a user");
    finish(db, payment, row, std::nullopt, std::nullopt, told.text("subscription_id"));
    return payment;
}

} // namespace companion::billing
