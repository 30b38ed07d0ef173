#pragma once

#include "payments/PaymentBooks.h"
#include "support/Mutation.h"

namespace companion::test {

using namespace payments;

// A database with users, and what a provider might tell about them in as few words as a test needs.
struct BooksFixture
{
    TestDatabase db;
    ledger::Ledger ledger;
    billing::TierStore tiers;
    billing::SubscriptionService subscriptions{ledger, tiers, {}};
    PaymentBooks books{ledger, subscriptions, {}};
    UserId user = addUser();
    int events = 0;

    BooksFixture() { applyMutation(db, QStringLiteral(QT_TESTCASE_SOURCEDIR)); }

    UserId addUser()
    {
        const auto id = UserId::create();
        db.owner().script(QStringLiteral("INSERT INTO users (id, display_name, created_at) VALUES ('%1', '', '%2')")
                              .arg(id.toString(), now().toString(Qt::ISODateWithMs)));
        return id;
    }
    QDateTime now() { return db.clock().now(); }

    PaymentFact paid(const QString &reference, const QString &product = QStringLiteral("popular"),
                     qint64 amount_minor = 899)
    {
        return {.references = {reference},
                .payment = {},
                .user = user,
                .kind = PaidFor::CreditPackage,
                .product = product,
                .state = PaymentFact::State::Paid,
                .amountMinor = amount_minor,
                .currency = QStringLiteral("USD"),
                .version = 1,
                .at = now()};
    }
    PaymentFact refunded(const QString &reference, qint64 refunded_minor, qint64 version)
    {
        return {.references = {reference}, .refundedMinor = refunded_minor, .version = version, .at = now()};
    }
    DisputeFact disputed(const QString &payment, DisputeState state, qint64 version, qint64 amount_minor = 899)
    {
        return {.reference = QString(QStringLiteral("dispute-") + payment),
                .payment = {payment},
                .state = state,
                .amountMinor = amount_minor,
                .currency = QStringLiteral("USD"),
                .version = version,
                .at = now()};
    }
    SubscriptionFact subscribed(const QString &reference, Tier tier, SubscriptionStatus status, qint64 version,
                                const QDateTime &start, const QDateTime &end)
    {
        return {.reference = reference,
                .user = user,
                .tier = tier,
                .status = status,
                .periodStart = start,
                .periodEnd = end,
                .version = version,
                .at = now()};
    }
    PaymentFact periodPaid(const QString &reference, const QString &subscription, Tier tier, const QDateTime &start,
                           const QDateTime &end)
    {
        PaymentFact fact = paid(reference, toText(tier), tier == Tier::Vip ? 2999 : 999);
        fact.kind = PaidFor::Period;
        fact.subscription = subscription;
        fact.periodStart = start;
        fact.periodEnd = end;
        return fact;
    }

    ProviderEvent event(const FactList &facts)
    {
        return {QStringLiteral("evt_%1").arg(++events), QStringLiteral("test"), now(), facts, {}};
    }
    ProviderEvent event(const PaymentFact &fact) { return event(FactList{{}, {fact}, {}}); }
    ProviderEvent event(const DisputeFact &fact) { return event(FactList{{}, {}, {fact}}); }
    ProviderEvent event(const SubscriptionFact &fact) { return event(FactList{{fact}, {}, {}}); }
    // PAYMENTS_TOGETHER=1: by the way of several at once, and alone where that does not take it, as the desk does.
    Taken deliver(const ProviderEvent &event) { return deliver(db.operators(), event); }
    Taken deliver(db::Session &session, const ProviderEvent &event)
    {
        const Webhook raw{.body = event.id.toUtf8(), .headers = {}};
        if (qEnvironmentVariableIsSet("PAYMENTS_TOGETHER") && PaymentBooks::mayBePlain(event, raw))
            if (const auto taken = books.takeTogether(session, {{Provider::Sandbox, event, raw}}).front())
                return *taken;
        return books.take(session, Provider::Sandbox, event, raw);
    }
    template <class Fact>
    Taken tell(const Fact &fact)
    {
        return deliver(event(fact));
    }

    void spend(const QString &amount)
    {
        const auto hold = ledger.hold(db.app(),
                                      {user, QStringLiteral("spend-%1").arg(++events), *Credits::parse(amount),
                                       now().addSecs(60), Credits()});
        ensure(hold.has_value(), "there is that much to spend");
        (void)ledger.capture(db.app(), user, hold->id, *Credits::parse(amount), QStringLiteral("Aria"), {});
    }
    static QString brief(Credits amount)
    {
        QString text = amount.toString();
        while (text.endsWith(u'0'))
            text.chop(1);
        return text.endsWith(u'.') ? text.chopped(1) : text;
    }
    // "purchased bonus debt"
    QString wallet()
    {
        const auto b = ledger.balance(db.app(), user, Credits()).value();
        return QStringList{brief(b.purchased), brief(b.bonus), brief(b.debt)}.join(u' ');
    }
    // The history, oldest first, without the day's own rows.
    QString history()
    {
        QStringList words;
        const auto page = ledger.transactions(db.app(), {.user = user}, {.limit = 100}).value();
        for (const Transaction &row : page.items)
            words.prepend(toText(row.kind) + u' ' + brief(row.amount));
        return words.join(QStringLiteral(", "));
    }
    QString text(const QString &sql)
    {
        const auto rows = db.owner().script(sql);
        return rows.isEmpty() ? QString() : rows.first().text("text");
    }
    QString status(const QString &reference)
    {
        return text(QStringLiteral("SELECT p.status AS text FROM payment_transactions p JOIN payment_references r"
                                   " ON r.payment_id = p.id WHERE r.reference = '%1'")
                        .arg(reference));
    }
    QString tier() { return toText(subscriptions.stateOf(db.operators(), user).tier); }
    QStringList audit()
    {
        QStringList rules;
        for (const auto &finding : ledger.audit(db.operators()))
            rules.append(finding.rule + u": " + finding.detail);
        return rules;
    }
    // Everything that must not depend on the order of arrival.
    QString everything()
    {
        return text(QStringLiteral(
            "SELECT concat_ws(E'\\n',"
            " (SELECT string_agg(concat_ws(' ', display_name, purchased, bonus, held, debt), ';' ORDER BY display_name)"
            "  FROM user_wallet JOIN users u ON u.id = user_id),"
            " (SELECT string_agg(concat_ws(' ', r.reference, p.status, p.amount_minor, p.refunded_minor, p.product), "
            "';'"
            "  ORDER BY r.reference) FROM payment_transactions p JOIN payment_references r ON r.payment_id = p.id),"
            " (SELECT string_agg(concat_ws(' ', reference, state, version), ';' ORDER BY reference) FROM "
            "payment_disputes),"
            " (SELECT string_agg(concat_ws(' ', reference, status, tier, version, period_end), ';' ORDER BY reference)"
            "  FROM subscriptions),"
            " (SELECT string_agg(concat_ws(' ', display_name, status, subscribed_vip_until, subscribed_premium_until), "
            "';'"
            "  ORDER BY display_name) FROM users),"
            " (SELECT string_agg(x.line, ';' ORDER BY x.line) FROM (SELECT concat_ws(' ', p.provider_reference, m.kind,"
            "   sum(m.amount_minor)) AS line FROM money_entries m JOIN payment_transactions p ON p.id = m.payment_id"
            "   GROUP BY p.provider_reference, m.kind HAVING sum(m.amount_minor) <> 0) x)) AS text"));
    }
};

} // namespace companion::test
