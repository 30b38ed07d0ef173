#include "backend/MoneyStory.h"

#include "ledger/Ledger.h"

#include <QJsonDocument>

namespace companion::test {

using namespace Qt::StringLiterals;
using namespace payments;

namespace {

QString uuidOf(int kind, int number)
{
    return u"%1-0000-4000-8000-%2"_s.arg(kind, 8, 10, QChar(u'0')).arg(number, 12, 10, QChar(u'0'));
}
UserId userOf(int number)
{
    return *UserId::parse(uuidOf(1, number));
}
// Half of the people began their first purchase here.
std::optional<PaymentId> begunBy(int number)
{
    return number % 2 == 0 ? PaymentId::parse(uuidOf(2, number)) : std::nullopt;
}
bool hasSpent(int number)
{
    return number % 3 == 0;
}

} // namespace

struct MoneyStory::Person
{
    int number;
    QDateTime at;

    QString named(const char *what) const { return QString(QString::fromLatin1(what) + QString::number(number)); }
    PaymentFact paid(const char *reference, const char *product, qint64 amount_minor, qint64 version = 1) const
    {
        return {.references = {named(reference)},
                .payment = {},
                .user = userOf(number),
                .kind = PaidFor::CreditPackage,
                .product = QString::fromLatin1(product),
                .state = PaymentFact::State::Paid,
                .amountMinor = amount_minor,
                .taxMinor = amount_minor / 7,
                .currency = u"USD"_s,
                .version = version,
                .at = at};
    }
    PaymentFact refunded(const char *reference, qint64 refunded_minor, qint64 version) const
    {
        return {.references = {named(reference)}, .refundedMinor = refunded_minor, .version = version, .at = at};
    }
    DisputeFact disputed(const char *payment, DisputeState state, qint64 amount_minor, qint64 version) const
    {
        return {.reference = named("dp_"),
                .payment = {named(payment)},
                .state = state,
                .amountMinor = amount_minor,
                .currency = u"USD"_s,
                .version = version,
                .at = at};
    }
    SubscriptionFact subscribed(Tier tier, SubscriptionStatus status, qint64 version, const QDateTime &from) const
    {
        return {.reference = named("sub_"),
                .user = userOf(number),
                .tier = tier,
                .status = status,
                .periodStart = from,
                .periodEnd = from.addDays(30),
                .version = version,
                .at = at};
    }
    PaymentFact period(const char *reference, Tier tier, const QDateTime &from) const
    {
        PaymentFact fact = paid(reference, tier == Tier::Vip ? "vip" : "premium", tier == Tier::Vip ? 2999 : 999);
        fact.kind = PaidFor::Period;
        fact.subscription = named("sub_");
        fact.periodStart = from;
        fact.periodEnd = from.addDays(30);
        return fact;
    }
};

MoneyStory::MoneyStory(int events, const QDateTime &now)
    : m_now(now)
{
    while (m_events.size() < events)
        tell({m_people++, now.addDays(-1)});
}

QByteArray MoneyStory::body(const FactList &facts)
{
    const QJsonObject event{{u"id"_s, u"evt_%1"_s.arg(++m_count)},
                            {u"type"_s, u"told"_s},
                            {u"created_at"_s, json::timeText(m_now)},
                            {u"environment"_s, u"sandbox"_s},
                            {u"facts"_s, toJson(facts)}};
    return QJsonDocument(event).toJson(QJsonDocument::Compact);
}

void MoneyStory::tell(const Person &person)
{
    const int i = person.number;
    if (hasSpent(i))
        m_before.append(body({{}, {person.paid("pi_0_", "popular", 899)}, {}}));
    auto first = person.paid("pi_a_", "popular", 899);
    first.payment = begunBy(i);
    add(first);
    add(person.paid("pi_b_", "whale", 6999));
    if (i % 5 == 2) {
        auto attempt = person.paid("pi_c_", "starter", 99);
        attempt.state = PaymentFact::State::Failed;
        attempt.failure = u"Declined"_s;
        add(attempt);
        add(person.paid("pi_c_", "starter", 99, 2));
    }
    if (i % 4 == 0) { // the fee is told when the money has come
        auto known = person.paid("pi_b_", "whale", 6999, 5);
        known.feeMinor = 233;
        add(known);
    }
    add(person.refunded("pi_a_", 100 + i % 700, 10));
    if (i % 2)
        add(person.refunded("pi_a_", 899, 20));
    if (i % 4 == 3)
        add(person.refunded("pi_a_", 0, 30));
    if (hasSpent(i))
        add(person.refunded("pi_0_", i % 2 ? 899 : 450, 10));
    if (i % 3) {
        add(person.disputed("pi_b_", DisputeState::Open, 6999, 40));
        add(person.disputed("pi_b_", i % 3 == 1 ? DisputeState::Won : DisputeState::Lost, 6999, 50));
    }
    const QDateTime start = m_now.addDays(-40);
    const QDateTime renewal = start.addDays(30);
    const Tier then = i % 2 ? Tier::Vip : Tier::Premium;
    add(person.subscribed(Tier::Premium, SubscriptionStatus::Active, 1, start));
    add(person.period("in_a_", Tier::Premium, start));
    add(person.subscribed(then, i % 5 ? SubscriptionStatus::Active : SubscriptionStatus::Canceled, 2, renewal));
    add(person.period("in_b_", then, renewal));
    if (i % 4 == 1)
        add(person.refunded("in_b_", 2999, 9));
}

void MoneyStory::settle(db::Session &owner) const
{
    for (int i = 0; i < m_people; ++i) {
        owner.script(u"INSERT INTO users (id, display_name, created_at) VALUES ('%1', 'person %2', '2026-01-01')"_s
                         .arg(userOf(i).toString())
                         .arg(i, 5, 10, QChar(u'0')));
        if (const auto begun = begunBy(i))
            owner.script(
                u"INSERT INTO payment_transactions (id, user_id, provider, kind, product, amount_minor, currency, "
                u"status,"
                " created_at, credits, bonus_credits, bonus_days) VALUES ('%1', '%2', 'sandbox', 'credits', 'popular',"
                " 899, 'USD', 'pending', now(), 100, 10, 90)"_s.arg(begun->toString(), userOf(i).toString()));
    }
}

void MoneyStory::spend(db::Session &owner) const
{
    const ledger::Ledger ledger;
    const Credits amount = *Credits::parse(u"60");
    for (int i = 0; i < m_people; ++i) {
        if (!hasSpent(i))
            continue;
        const auto hold = ledger.hold(owner, {userOf(i), u"before"_s, amount, owner.now().addSecs(60), Credits()});
        ensure(hold.has_value(), "there is that much to spend");
        ensure(ledger.capture(owner, userOf(i), hold->id, amount, u"Aria"_s, {}).has_value(), "it is spent");
    }
}

QStringList MoneyStory::outcome(db::Session &owner)
{
    QStringList lines;
    for (const auto &row :
         owner.script(u"SELECT line FROM ("
                      " SELECT concat_ws(' ', 'wallet', u.display_name, purchased, bonus, held, debt) AS line"
                      "   FROM user_wallet JOIN users u ON u.id = user_id"
                      " UNION ALL SELECT concat_ws(' ', 'user', display_name, status, subscribed_vip_until > now(),"
                      "   subscribed_premium_until > now()) FROM users"
                      " UNION ALL SELECT concat_ws(' ', 'payment', r.reference, p.status, p.amount_minor, p.tax_minor, "
                      "p.fee_minor,"
                      "   p.refunded_minor, p.product, p.purchase_entry IS NOT NULL, p.bonus_entry IS NOT NULL)"
                      "   FROM payment_references r JOIN payment_transactions p ON p.id = r.payment_id"
                      " UNION ALL SELECT concat_ws(' ', 'payments', count(*)) FROM payment_transactions"
                      " UNION ALL SELECT concat_ws(' ', 'dispute', reference, state, version, suspended_at IS NULL)"
                      "   FROM payment_disputes"
                      " UNION ALL SELECT concat_ws(' ', 'subscription', reference, status, tier, version, period_end)"
                      "   FROM subscriptions"
                      " UNION ALL SELECT concat_ws(' ', 'money', p.provider_reference, m.kind, sum(m.amount_minor), "
                      "sum(m.tax_minor),"
                      "   sum(m.fee_minor)) FROM money_entries m JOIN payment_transactions p ON p.id = m.payment_id"
                      "   GROUP BY p.provider_reference, m.kind HAVING sum(m.amount_minor) <> 0"
                      " UNION ALL SELECT concat_ws(' ', 'event', event_id, status) FROM payment_events"
                      ") lines ORDER BY line"_s))
        lines.append(row.text("line"));
    return lines;
}

} // namespace companion::test
