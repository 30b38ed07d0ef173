#include "tests/console/support/CannedMoney.h"

namespace companion::console::canned {

using namespace Qt::StringLiterals;

namespace {

constexpr int paymentsInAll = 53;

template <class Tag>
Id<Tag> numbered(uint family, int number)
{
    return Id<Tag>(QUuid(family, 0, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uchar>(number)));
}

QString idText(uint family, int number)
{
    return QUuid(family, 0, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uchar>(number)).toString(QUuid::WithoutBraces);
}

Credits amountOf(const char *text)
{
    return *Credits::parse(QString::fromLatin1(text));
}

CannedReply paymentPage(const CannedRequest &request)
{
    const int limit = request.query.queryItemValue(u"limit"_s).toInt();
    const int from = request.query.queryItemValue(u"cursor"_s).toInt();
    Page<AdminPayment> page;
    page.limit = limit;
    for (int i = from; i < std::min(from + limit, paymentsInAll); ++i)
        page.items.append(payment(i));
    page.hasMore = from + limit < paymentsInAll;
    if (page.hasMore)
        page.nextCursor = QString::number(from + limit);
    if (from == 0)
        page.total = paymentsInAll;
    return CannedReply::json(toJson(page));
}

} // namespace

AdminPayment payment(int number)
{
    return {.id = numbered<PaymentTag>(0x20000000, number),
            .userId = user(2).id,
            .user = u"user%1@example.com"_s.arg(number),
            .provider = Provider::Sandbox,
            .kind = PaidFor::CreditPackage,
            .product = u"popular"_s,
            .amount = u"8.99"_s,
            .tax = u"0.00"_s,
            .fee = u"0.57"_s,
            .refunded = number == 1 ? u"3.00"_s : u"0.00"_s,
            .currency = u"USD"_s,
            .status = number == 1 ? PaymentStatus::PartiallyRefunded
                : number == 2     ? PaymentStatus::Failed
                                  : PaymentStatus::Paid,
            .failure = number == 2 ? std::optional(u"The card was declined."_s) : std::nullopt,
            .references = {u"co_%1"_s.arg(number), u"sbx_pay_%1"_s.arg(number)},
            .createdAt = now.addSecs(-3600 * (number + 1)),
            .paidAt = number == 2 ? std::nullopt : std::optional(now.addSecs(-3600 * (number + 1) + 60))};
}

PaymentStory story(int number)
{
    PaymentStory story{.payment = payment(number),
                       .credits = {},
                       .bonusCredits = {},
                       .subscriptionId = {},
                       .lots = {},
                       .entries = {},
                       .money = {},
                       .refunds = {},
                       .disputes = {},
                       .debts = {},
                       .webhooks = {}};
    const QDateTime at = *payment(0).paidAt;
    story.lots = {{Bucket::Purchased, amountOf("100"), amountOf("66.6296"), {}, amountOf("33.3704"), {}},
                  {Bucket::Bonus, amountOf("10"), amountOf("6.663"), {}, amountOf("3.337"), now.addDays(90)}};
    story.entries = {
        {numbered<TransactionTag>(0x30000000, 1), TransactionKind::Purchase, amountOf("100"), {}, u"popular"_s, at},
        {numbered<TransactionTag>(0x30000000, 2),
         TransactionKind::Debt,
         {},
         amountOf("12.5"),
         u"Payment refunded"_s,
         at.addSecs(600)}};
    story.money = {{MoneyKind::Payment, u"8.99"_s, u"0.00"_s, u"0.57"_s, at},
                   {MoneyKind::Refund, u"-3.00"_s, u"0.00"_s, u"0.00"_s, at.addSecs(600)}};
    story.refunds = {{idText(0x40000000, 1),
                      u"3.00"_s,
                      RefundState::Done,
                      u"Asked kindly"_s,
                      {},
                      u"fin@example.com"_s,
                      at.addSecs(590),
                      at.addSecs(600)}};
    story.debts = {debt(1)};
    return story;
}

RefundPreview refundPreview(const QString &amount)
{
    return {
        .amount = amount,
        .left = u"0.00"_s,
        .currency = u"USD"_s,
        .purchased = amountOf("66.6296"),
        .bonus = amountOf("6.663"),
        .owed = amountOf("12.5"),
        .endsTier = false,
        .lots = {{Bucket::Purchased, amountOf("100"), amountOf("66.6296"), {}, amountOf("66.6296"), amountOf("12.5")},
                 {Bucket::Bonus, amountOf("10"), amountOf("6.663"), {}, amountOf("6.663"), {}}},
        .paidAtOnce = {},
        .balanceBefore = amountOf("80"),
        .balanceAfter = amountOf("6.7074"),
        .debtBefore = {},
        .debtAfter = amountOf("12.5")};
}

AdminSubscription subscription(int number)
{
    return {.id = idText(0x50000000, number),
            .userId = user(2).id,
            .user = u"user%1@example.com"_s.arg(number),
            .provider = Provider::Sandbox,
            .reference = u"sbx_sub_%1"_s.arg(number),
            .tier = Tier::Vip,
            .nextTier = number == 1 ? std::optional(Tier::Premium) : std::nullopt,
            .status = number == 1 ? SubscriptionStatus::Canceled : SubscriptionStatus::Active,
            .periodStart = now.addDays(-10),
            .periodEnd = now.addDays(20),
            .entitledUntil = now.addDays(20),
            .createdAt = now.addDays(-40)};
}

AdminDispute dispute(int number, DisputeState state)
{
    return {.id = idText(0x60000000, number),
            .paymentId = payment(number).id,
            .userId = user(2).id,
            .user = u"user%1@example.com"_s.arg(number),
            .provider = Provider::Sandbox,
            .reference = u"sbx_dispute_%1"_s.arg(number),
            .state = state,
            .amount = u"8.99"_s,
            .currency = u"USD"_s,
            .reason = u"fraudulent"_s,
            .suspends = state != DisputeState::Won,
            .openedAt = now.addDays(-3),
            .closedAt = state == DisputeState::Open ? std::nullopt : std::optional(now.addDays(-1))};
}

Debt debt(int number)
{
    return {.id = idText(0x70000000, number),
            .userId = user(2).id,
            .user = u"user%1@example.com"_s.arg(number),
            .cause = u"payment_refund"_s,
            .original = amountOf("20"),
            .remaining = number == 2 ? Credits() : amountOf("12.5"),
            .createdAt = now.addDays(-2),
            .paymentId = payment(number).id};
}

ReconciliationDifference difference(int number, DifferenceKind kind)
{
    return {.id = idText(0x80000000, number),
            .provider = Provider::Sandbox,
            .day = u"2026-11-21"_s,
            .kind = kind,
            .reference = u"evt_%1"_s.arg(number),
            .ours = u"none"_s,
            .theirs = u"paid, 8.99 USD"_s,
            .healed = number == 2,
            .foundAt = now.addDays(-1),
            .resolvedAt = number == 2 ? std::optional(now) : std::nullopt,
            .note = {},
            .paymentId = {}};
}

RevenueReport revenue()
{
    const CurrencyRevenue usd{u"USD"_s,  u"120.00"_s, u"9.99"_s, u"8.99"_s, u"0.00"_s,
                              u"6.10"_s, u"61.50"_s,  u"1.25"_s, u"38.27"_s};
    const CurrencyRevenue jpy{u"JPY"_s, u"980"_s, u"0"_s, u"0"_s, u"0"_s, u"0"_s, u"100"_s, u"0"_s, u"880"_s};
    const QDateTime october(QDate(2026, 10, 1), QTime(0, 0), Qt::UTC);
    return {october,
            now,
            {jpy, usd},
            {{october, october.addMonths(1), {usd}}, {october.addMonths(1), now, {jpy, usd}}}};
}

void serveMoney(CannedServer &server)
{
    const QString get = u"GET /api/v1/admin/"_s;
    server.on(get + u"payments"_s, &paymentPage);
    for (const int number : {0, 1, 2}) {
        const QString one = get + u"payments/"_s + payment(number).id.toString();
        server.on(one + u"/story"_s, CannedReply::json(toJson(story(number))));
        server.on(one + u"/refund"_s, [](const CannedRequest &request) {
            const QString amount = request.query.queryItemValue(u"amount"_s);
            return CannedReply::json(toJson(refundPreview(amount.isEmpty() ? u"5.99"_s : amount)));
        });
    }
    server.on(get + u"subscriptions"_s, page<AdminSubscription>({subscription(1), subscription(2)}));
    const SubscriptionEvent told{.sequence = 1,
                                 .kind = SubscriptionEventKind::Told,
                                 .status = SubscriptionStatus::Active,
                                 .tier = Tier::Vip,
                                 .nextTier = {},
                                 .periodStart = now.addDays(-10),
                                 .periodEnd = now.addDays(20),
                                 .entitledUntil = now.addDays(20),
                                 .paymentId = {},
                                 .effectiveAt = now.addDays(-10),
                                 .recordedAt = now.addDays(-10)};
    server.on(get + u"subscriptions/"_s + subscription(1).id,
              CannedReply::json(toJson(SubscriptionHistory{subscription(1), {told}, {payment(0)}})));
    server.on(get + u"users/%1/tier"_s.arg(user(2).id.toString()), [](const CannedRequest &request) {
        const auto at = json::parseTime(request.query.queryItemValue(u"at"_s, QUrl::FullyDecoded));
        return CannedReply::json(toJson(TierAt{user(2).id, *at, *at < now.addDays(-10) ? Tier::Free : Tier::Vip}));
    });
    server.on(get + u"disputes"_s, page<AdminDispute>({dispute(0, DisputeState::Open), dispute(1, DisputeState::Won)}));
    server.on(get + u"debts"_s, page<Debt>({debt(1), debt(2)}));
    server.on(get + u"reconciliation"_s,
              page<ReconciliationDifference>(
                  {difference(1, DifferenceKind::UnusableEvent), difference(2, DifferenceKind::MissingHere)}));
    server.on(get + u"reconciliation/runs"_s,
              CannedReply::json(
                  toJson(RunList{{{Provider::Sandbox, u"2026-11-21"_s, now, 3, 3, 0, 0, {}},
                                  {Provider::Stripe, u"2026-11-21"_s, now, 0, 0, 0, 0, u"no answer"_s}}})));
    server.on(get + u"books/revenue"_s, CannedReply::json(toJson(revenue())));
}

} // namespace companion::console::canned
