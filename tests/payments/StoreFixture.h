#pragma once

#include "BooksFixture.h"
#include "payments/PaymentDesk.h"

#include <QTest>

namespace companion::test {

// The books, and a desk that a store's provider is given to; the customers buy credits and tiers by the store's names.
struct StoreFixture : BooksFixture
{
    Checkouts checkouts{subscriptions};
    PaymentDesk desk{{db.operatorWorkers(), books, checkouts, db.clock()}};
    Provider store;

    explicit StoreFixture(Provider which)
        : store(which)
    {
        const auto sells = [&](const char *reference, const char *kind, const char *product) {
            db.owner().script(
                QStringLiteral("INSERT INTO provider_products VALUES ('%1', 'com.example.%2', '%3', '%4')")
                    .arg(toText(store), QString::fromLatin1(reference), QString::fromLatin1(kind),
                         QString::fromLatin1(product)));
        };
        sells("popular", "credits", "popular");
        sells("starter", "credits", "starter");
        sells("premium", "subscription", "premium");
        sells("vip", "subscription", "vip");
    }

    static QString codeText(ErrorCode code) { return QString::fromLatin1(describe(code).name); }

    template <class T, class Call>
    Result<T> wait(Call call)
    {
        std::optional<Result<T>> answer;
        call([&answer](const Result<T> &result) { answer = result; });
        if (!QTest::qWaitFor([&] { return answer.has_value(); }, 20'000))
            qFatal("no answer came");
        return *answer;
    }
    // What became of a webhook: applied, duplicate, waiting, kept, or the refusal's code.
    QString webhook(const Webhook &raw)
    {
        const auto taken = wait<Taken>([&](const auto &then) { desk.webhook(store, raw, then); });
        if (!taken)
            return codeText(taken.error().code);
        static const QStringList words{QStringLiteral("applied"), QStringLiteral("duplicate"),
                                       QStringLiteral("waiting"), QStringLiteral("kept")};
        return words.at(int(taken->what)) + (taken->reason.isEmpty() ? QString() : QString(u": " + taken->reason));
    }
    // "paid", or the refusal's code and detail.
    QString redeem(const QString &receipt, const UserId &who)
    {
        const auto started = wait<StartedPayment>([&](const auto &then) {
            desk.buy({who, {}}, {.product = QStringLiteral("popular"), .provider = store, .receipt = receipt},
                     QStringLiteral("key"), then);
        });
        return started ? toText(started->status)
                       : QString(codeText(started.error().code) + u": " + started.error().detail);
    }
    QString redeemTier(const QString &receipt, const UserId &who)
    {
        const auto started = wait<StartedPayment>([&](const auto &then) {
            desk.subscribe({who, {}}, {.tier = Tier::Premium, .provider = store, .receipt = receipt},
                           QStringLiteral("key"), then);
        });
        return started ? toText(started->status)
                       : QString(codeText(started.error().code) + u": " + started.error().detail);
    }
    ReconciliationRun reconcile(const QDate &day)
    {
        return wait<ReconciliationRun>([&](const auto &then) { desk.reconcile(store, day, then); }).value();
    }
    QString refusals()
    {
        return text(QStringLiteral("SELECT coalesce(string_agg(reason, '; ' ORDER BY received_at), '') AS text"
                                   " FROM payment_events WHERE status = 'refused'"));
    }
    // "status tier, for this period's end"
    QString subscription()
    {
        return text(QStringLiteral("SELECT coalesce(string_agg(concat_ws(' ', status, tier, next_tier,"
                                   " to_char(period_end AT TIME ZONE 'UTC', 'MM-DD'), 'until',"
                                   " to_char(entitled_until AT TIME ZONE 'UTC', 'MM-DD')), '; ' ORDER BY created_at),"
                                   " 'none') AS text FROM subscriptions"));
    }
    QString money()
    {
        return text(QStringLiteral("SELECT coalesce(string_agg(concat_ws(' ', kind, amount_minor, currency), ', '"
                                   " ORDER BY id), '') AS text FROM money_entries"));
    }
};

} // namespace companion::test
