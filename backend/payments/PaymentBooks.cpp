#include "payments/PaymentBooks.h"

#include "payments/EventKeys.h"

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

bool sellsAtOurPrices(Provider provider)
{
    return provider == Provider::Stripe || provider == Provider::Sandbox;
}

namespace {

void lockKeys(db::Session &db, Provider provider, const QStringList &keys)
{
    QStringList named;
    for (const QString &key : keys)
        named.append(toText(provider) + u' ' + key);
    if (!named.isEmpty())
        db.one("payments.lock_keys", {{"keys", named}});
}

QString textOf(const QUuid &id)
{
    return id.toString(QUuid::WithoutBraces);
}

db::Row keepEvent(db::Session &db, Provider provider, const ProviderEvent &event, const Webhook &raw,
                  const std::optional<QJsonObject> &facts)
{
    return db.one("payments.take_event",
                  {{"id", textOf(QUuid::createUuid())},
                   {"provider", provider},
                   {"event_id", event.id},
                   {"type", event.type.left(120)},
                   {"created_at", event.createdAt},
                   {"facts", facts},
                   {"look_up", event.lookUp},
                   {"body", raw.body},
                   {"signature", signatureOf(raw)},
                   {"now", db.now()}});
}

} // namespace

Taken PaymentBooks::take(db::Session &db, Provider provider, const ProviderEvent &event, const Webhook &raw) const
{
    Taken taken;
    {
        db::Transaction transaction(db);
        lockKeys(db, provider, keysOf(event));
        const auto row = keepEvent(db, provider, event, raw, toJson(event.facts));
        if (row.text("status") == "processed"_L1)
            taken.what = Taken::What::Duplicate;
        else
            taken = settleEvent(db, provider, row, event.facts);
        transaction.commit();
    }
    if (taken.what == Taken::What::Applied)
        wake(db, provider, keysOf(event.facts), taken.granted);
    return taken;
}

bool PaymentBooks::keep(db::Session &db, Provider provider, const ProviderEvent &event, const Webhook &raw) const
{
    return keepEvent(db, provider, event, raw, std::nullopt).text("status") != "processed"_L1;
}

void PaymentBooks::keepRefused(db::Session &db, Provider provider, const Webhook &raw, const QString &reason) const
{
    db.execute("payments.keep_refused",
               {{"id", textOf(QUuid::createUuid())},
                {"provider", provider},
                {"reason", reason.left(500)},
                {"body", raw.body.left(4096)}, // enough to see what it was
                {"signature", signatureOf(raw)},
                {"most", mostRefused},
                {"now", db.now()}});
}

Taken PaymentBooks::apply(db::Session &db, Provider provider, const FactList &facts) const
{
    if (facts.isEmpty())
        return {};
    Taken taken;
    {
        db::Transaction transaction(db);
        lockKeys(db, provider, keysOf(facts));
        const auto done = applyAll(db, provider, facts);
        if (!done)
            return {done.error().waitsFor.isEmpty() ? Taken::What::Unusable : Taken::What::Waiting,
                    done.error().reason,
                    {}};
        writeAudit(db, done->audit);
        taken.granted = done->granted;
        transaction.commit();
    }
    wake(db, provider, keysOf(facts), taken.granted);
    return taken;
}

// Facts of one event: all of them, or none and the reason why. Its keys and its row are locked.
Taken PaymentBooks::settleEvent(db::Session &db, Provider provider, const db::Row &event, const FactList &facts) const
{
    db::Savepoint savepoint(db);
    const auto done = applyAll(db, provider, facts);
    if (!done)
        savepoint.rollback();
    const bool waits = !done && !done.error().waitsFor.isEmpty();
    db.execute("payments.mark_event",
               {{"id", event.text("id")},
                {"status",
                 done        ? "processed"
                     : waits ? "waiting"
                             : "failed"},
                {"reason", done ? std::nullopt : std::optional(done.error().reason.left(500))},
                {"waits_for", waits ? std::optional(done.error().waitsFor) : std::nullopt},
                {"payment_id", done ? done->payment : std::nullopt},
                {"now", db.now()}});
    if (done && event.text("status") != "received"_L1) // it may have been listed as a difference meanwhile
        db.execute("payments.heal_event", {{"id", event.text("id")}, {"now", db.now()}});
    if (!done && !waits)
        db.execute("payments.note_unusable",
                   {{"id", textOf(QUuid::createUuid())}, {"event", event.text("id")}, {"now", db.now()}});
    if (!done)
        return {waits ? Taken::What::Waiting : Taken::What::Unusable, done.error().reason, {}};
    writeAudit(db, done->audit);
    return {Taken::What::Applied, {}, done->granted};
}

// A kept event, in a transaction of its own and under its own keys: what it waited for may be all that it shares with
// the one that woke it.
Taken PaymentBooks::settleKept(db::Session &db, Provider provider, const QString &event, const FactList &facts) const
{
    db::Transaction transaction(db);
    lockKeys(db, provider, keysOf(facts));
    const auto row = db.one("payments.lock_event", {{"id", event}});
    Taken taken{Taken::What::Duplicate, {}, {}};
    if (row.text("status") != "processed"_L1)
        taken = settleEvent(db, provider, row, facts);
    transaction.commit();
    return taken;
}

// What waited for these things may go on now; and what waited for what that brings: a refund for its payment, which
// waited for its subscription. Whoever dies on the way leaves the rest to retry().
void PaymentBooks::wake(db::Session &db, Provider provider, QStringList keys, QList<Granted> &granted) const
{
    while (!keys.isEmpty()) {
        QStringList brought;
        for (const auto &row : db.rows("payments.waiting_events", {{"provider", provider}, {"keys", keys}})) {
            const auto facts = fromJson<FactList>(row.object("facts"));
            if (!facts)
                continue;
            const Taken taken = settleKept(db, provider, row.text("id"), *facts);
            granted.append(taken.granted);
            if (taken.what == Taken::What::Applied)
                brought.append(keysOf(*facts));
        }
        keys = brought;
    }
}

void PaymentBooks::writeAudit(db::Session &db, const QList<QJsonObject> &lines) const
{
    for (const QJsonObject &line : lines)
        db.one("payments.append_audit",
               {{"now", db.now()},
                {"act", line[u"act"_s].toString()},
                {"target", line[u"target"_s].toString()},
                {"reason", line[u"reason"_s].toString()},
                {"before", line[u"before"_s].toObject()},
                {"after", line[u"after"_s].toObject()}});
}

int PaymentBooks::retry(db::Session &db, int batch, QList<Granted> &granted) const
{
    const auto rows = db.rows("payments.claim_open_events", {{"now", db.now()}, {"batch", batch}});
    for (const auto &row : rows) {
        const auto facts = fromJson<FactList>(row.object("facts"));
        if (!facts)
            continue;
        granted.append(applyKept(db, row.value<Provider>("provider"), row.text("id"), *facts).granted);
    }
    return static_cast<int>(rows.size());
}

Taken PaymentBooks::applyKept(db::Session &db, Provider provider, const QString &event, const FactList &facts) const
{
    Taken taken = settleKept(db, provider, event, facts);
    if (taken.what == Taken::What::Applied)
        wake(db, provider, keysOf(facts), taken.granted);
    return taken;
}

QList<KeptEvent> PaymentBooks::claimIncomplete(db::Session &db, int batch) const
{
    QList<KeptEvent> kept;
    for (const auto &row : db.rows("payments.claim_incomplete_events", {{"now", db.now()}, {"batch", batch}}))
        kept.append({row.text("id"),
                     row.value<Provider>("provider"),
                     {row.text("event_id"), row.text("type"), row.time("created_at"), {}, row.object("look_up")}});
    return kept;
}

Taken PaymentBooks::completed(db::Session &db, const KeptEvent &kept, const FactList &facts) const
{
    db.execute("payments.set_facts", {{"id", kept.id}, {"facts", toJson(facts)}});
    return applyKept(db, kept.provider, kept.id, facts);
}

void PaymentBooks::uncompletable(db::Session &db, const KeptEvent &kept, const QString &why) const
{
    db::Transaction transaction(db);
    if (db.execute("payments.fail_incomplete", {{"id", kept.id}, {"reason", why.left(500)}}) > 0)
        db.execute("payments.note_unusable",
                   {{"id", textOf(QUuid::createUuid())}, {"event", kept.id}, {"now", db.now()}});
    transaction.commit();
}

int PaymentBooks::listOverdue(db::Session &db) const
{
    return static_cast<int>(db.execute("payments.note_overdue", {{"now", db.now()}}));
}

int PaymentBooks::purge(db::Session &db, int batch) const
{
    return static_cast<int>(
        db.execute("payments.purge_refused", {{"before", db.now().addDays(-30)}, {"batch", batch}}));
}

PaymentBooks::Step<PaymentBooks::Done> PaymentBooks::applyAll(db::Session &db, Provider provider,
                                                              const FactList &facts) const
{
    Done done;
    for (const SubscriptionFact &fact : facts.subscriptions)
        if (const auto taken = takeSubscription(db, provider, fact); !taken)
            return std::unexpected(taken.error());
    for (const PaymentFact &fact : facts.payments)
        if (const auto taken = takePayment(db, provider, fact, done); !taken)
            return std::unexpected(taken.error());
    for (const DisputeFact &fact : facts.disputes)
        if (const auto taken = takeDispute(db, provider, fact, done); !taken)
            return std::unexpected(taken.error());
    return done;
}

PaymentBooks::Step<void> PaymentBooks::takeSubscription(db::Session &db, Provider provider,
                                                        const SubscriptionFact &fact) const
{
    std::optional<UserId> user = fact.user;
    if (!user)
        if (const auto known = m_subscriptions.find(db, provider, fact.reference))
            user = known->user;
    if (!user)
        return std::unexpected(Obstacle{{subscriptionKey(fact.reference)}, u"Nobody here has this subscription."_s});
    const auto told = m_subscriptions.told(db,
                                           {.user = *user,
                                            .provider = provider,
                                            .reference = fact.reference,
                                            .customer = fact.customer,
                                            .status = fact.status,
                                            .tier = fact.tier,
                                            .nextTier = fact.nextTier,
                                            .periodStart = fact.periodStart,
                                            .periodEnd = fact.periodEnd,
                                            .graceUntil = fact.graceUntil,
                                            .version = fact.version,
                                            .at = fact.at});
    if (!told)
        return std::unexpected(Obstacle{{}, told.error().detail});
    return {};
}

PaymentBooks::Step<void> PaymentBooks::takePayment(db::Session &db, Provider provider, const PaymentFact &fact,
                                                   Done &done) const
{
    std::optional<billing::KnownSubscription> subscription;
    if (!fact.subscription.isEmpty()) {
        subscription = m_subscriptions.find(db, provider, fact.subscription);
        if (!subscription)
            return std::unexpected(
                Obstacle{{subscriptionKey(fact.subscription)}, u"The subscription it pays for is not known yet."_s});
    }
    auto found = find(db, provider, fact.payment, fact.references);
    if (!found)
        return std::unexpected(found.error());
    if (!*found) {
        const auto created = create(db, provider, fact, subscription);
        if (!created)
            return std::unexpected(created.error());
        *found = *created;
    }
    const Found &payment = **found;
    if ((fact.user && *fact.user != payment.user) || (subscription && subscription->user != payment.user))
        return std::unexpected(Obstacle{{}, u"The payment belongs to another user."_s});
    done.payment = payment.id;
    db.one("payments.lock_user", {{"user_id", payment.user}});
    auto row = db.one("payments.lock_payment", {{"id", payment.id}});
    db.execute("payments.add_references",
               {{"provider", provider},
                {"payment_id", payment.id},
                {"user_id", payment.user},
                {"references", fact.references}});
    const bool wasPaid = !row.isNull("paid_at");
    if (const auto taken = takeState(db, provider, fact, row, subscription); !taken)
        return taken;
    takeRefunds(db, fact, row);
    if (const auto settled = settle(db, payment.id, TransactionKind::PaymentRefund, done); !settled)
        return settled;
    if (!wasPaid && fact.state == PaymentFact::State::Paid)
        done.granted.append({provider, fact.references, row.value<PaidFor>("kind"), row.text("product")});
    return {};
}

PaymentBooks::Step<std::optional<PaymentBooks::Found>> PaymentBooks::find(db::Session &db, Provider provider,
                                                                          const std::optional<PaymentId> &id,
                                                                          const QStringList &references) const
{
    auto rows = db.rows("payments.find_by_reference", {{"provider", provider}, {"references", references}});
    if (id)
        rows.append(db.rows("payments.find_payment_owner", {{"id", *id}, {"provider", provider}}));
    if (rows.isEmpty())
        return std::nullopt;
    const Found found{rows.first().id<PaymentId>("payment_id"), rows.first().id<UserId>("user_id")};
    const bool agree = std::ranges::all_of(rows, [&](const auto &row) {
        return row.template id<PaymentId>("payment_id") == found.id;
    });
    if (!agree)
        return std::unexpected(Obstacle{{}, u"Its references belong to several payments."_s});
    return found;
}

// A payment that we did not begin: a renewal, or a sale in the store's own app.
PaymentBooks::Step<PaymentBooks::Found> PaymentBooks::create(
    db::Session &db, Provider provider, const PaymentFact &fact,
    const std::optional<billing::KnownSubscription> &subscription) const
{
    const auto user = subscription ? std::optional(subscription->user) : fact.user;
    if (!user || !fact.state)
        return std::unexpected(Obstacle{paymentKeys(fact.references), u"The payment is not known yet."_s});
    if (!db.first("payments.lock_user", {{"user_id", *user}}))
        return std::unexpected(Obstacle{{}, u"There is no such user."_s});
    const QString product = subscription && fact.product.isEmpty() ? toText(subscription->state.tier) : fact.product;
    const bool ofCredits = fact.kind == PaidFor::CreditPackage;
    const auto offered = ofCredits ? db.first("payments.offered_package", {{"code", product}, {"also_inactive", true}})
                                   : db.first("payments.offered_tier", {{"code", product}});
    if (!offered)
        return std::unexpected(Obstacle{{}, u"There is no product \"%1\"."_s.arg(product)});
    const PaymentId id = PaymentId::create();
    db.execute("payments.insert_payment",
               {{"id", id},
                {"user_id", *user},
                {"provider", provider},
                {"kind", fact.kind},
                {"product", product},
                {"amount_minor", fact.amountMinor},
                {"currency", fact.currency},
                {"created_at", fact.at},
                {"credits", ofCredits ? std::optional(offered->credits("credits")) : std::nullopt},
                {"bonus_credits", ofCredits ? std::optional(offered->credits("bonus_credits")) : std::nullopt},
                {"bonus_days", ofCredits ? offered->maybeInteger("bonus_days") : std::nullopt},
                {"request_key", std::nullopt},
                {"request_print", std::nullopt},
                {"now", db.now()}});
    return Found{id, *user};
}

// Paid is final, whatever else is told of the attempt; a later failure is of an attempt that came before.
PaymentBooks::Step<void> PaymentBooks::takeState(db::Session &db, Provider provider, const PaymentFact &fact,
                                                 const db::Row &payment,
                                                 const std::optional<billing::KnownSubscription> &subscription) const
{
    const auto id = payment.id<PaymentId>("id");
    const bool isPaid = !payment.isNull("paid_at");
    if (fact.state == PaymentFact::State::Failed && !isPaid && fact.version >= payment.integer("version"))
        db.execute("payments.set_failed",
                   {{"id", id}, {"failure", fact.failure.left(300)}, {"version", fact.version}, {"now", db.now()}});
    if (fact.state != PaymentFact::State::Paid)
        return {};
    if (isPaid) {
        if (fact.feeMinor && fact.version >= payment.integer("version"))
            db.execute("payments.set_fee",
                       {{"id", id}, {"fee_minor", *fact.feeMinor}, {"version", fact.version}, {"now", db.now()}});
        return {};
    }
    // A checkout of ours was paid as offered, or it is no payment for it. What a store sells has the store's prices.
    if (sellsAtOurPrices(provider) && payment.value<PaidFor>("kind") == PaidFor::CreditPackage
        && (fact.currency != payment.text("currency") || fact.amountMinor < payment.integer("amount_minor")))
        return std::unexpected(Obstacle{
            {},
            u"Paid %1 %2 (minor units) where %3 %4 was asked."_s.arg(QString::number(fact.amountMinor), fact.currency,
                                                                     QString::number(payment.integer("amount_minor")),
                                                                     payment.text("currency"))});
    db.execute("payments.set_paid",
               {{"id", id},
                {"amount_minor", fact.amountMinor},
                {"tax_minor", fact.taxMinor},
                {"fee_minor", fact.feeMinor},
                {"currency", fact.currency},
                {"paid_at", fact.at},
                {"version", fact.version},
                {"subscription_id", subscription ? std::optional(subscription->id) : std::nullopt},
                {"period_start", fact.periodStart},
                {"period_end", fact.periodEnd},
                {"reference", fact.references.value(0)},
                {"now", db.now()}});
    return {};
}

void PaymentBooks::takeRefunds(db::Session &db, const PaymentFact &fact, const db::Row &payment) const
{
    if (!fact.refundedMinor)
        return;
    const qint64 known = payment.integer("refund_version");
    const qint64 amount = fact.state == PaymentFact::State::Paid ? fact.amountMinor : payment.integer("amount_minor");
    const qint64 refunded =
        std::clamp<qint64>(*fact.refundedMinor, 0, std::max(amount, payment.integer("amount_minor")));
    const bool isNewer =
        fact.version > known || (fact.version == known && refunded > payment.integer("refunded_minor"));
    if (!isNewer) // "nothing is refunded" counts too: an older refund may come after it
        return;
    db.execute("payments.set_refunded",
               {{"id", payment.id<PaymentId>("id")},
                {"refunded_minor", refunded},
                {"version", fact.version},
                {"now", db.now()}});
}

PaymentBooks::Step<void> PaymentBooks::takeDispute(db::Session &db, Provider provider, const DisputeFact &fact,
                                                   Done &done) const
{
    const auto found = find(db, provider, std::nullopt, fact.payment);
    if (!found)
        return std::unexpected(found.error());
    if (!*found)
        return std::unexpected(Obstacle{paymentKeys(fact.payment), u"The disputed payment is not known yet."_s});
    const Found &payment = **found;
    done.payment = payment.id;
    db.one("payments.lock_user", {{"user_id", payment.user}});
    db.one("payments.lock_payment", {{"id", payment.id}});
    db.execute("payments.take_dispute",
               {{"id", textOf(QUuid::createUuid())},
                {"provider", provider},
                {"reference", fact.reference},
                {"payment_id", payment.id},
                {"user_id", payment.user},
                {"state", fact.state},
                {"amount_minor", fact.amountMinor},
                {"currency", fact.currency},
                {"reason", fact.reason.left(120)},
                {"version", fact.version},
                {"at", fact.at}});
    if (const auto settled = settle(db, payment.id, TransactionKind::Chargeback, done); !settled)
        return settled;
    const auto dispute = db.one("payments.find_dispute", {{"provider", provider}, {"reference", fact.reference}});
    if (dispute.text("state") == "won"_L1)
        restore(db, payment.user, dispute, done);
    else if (m_policy.suspendOnDispute && dispute.isNull("suspended_at"))
        suspend(db, payment.user, dispute, done);
    return {};
}

void PaymentBooks::suspend(db::Session &db, const UserId &user, const db::Row &dispute, Done &done) const
{
    const QDateTime now = db.now(); // one moment on both rows: by it the suspension is known for the dispute's own
    if (db.execute("payments.suspend_for_dispute", {{"user_id", user}, {"now", now}}) == 0)
        return;
    db.execute("payments.note_suspension", {{"id", dispute.text("id")}, {"at", now}});
    done.audit.append({{u"act"_s, u"user.suspend"_s},
                       {u"target"_s, QString(u"user:"_s + user.toString())},
                       {u"reason"_s, QString(u"Payment disputed: "_s + dispute.text("reference"))},
                       {u"before"_s, QJsonObject{{u"status"_s, u"active"_s}}},
                       {u"after"_s, QJsonObject{{u"status"_s, u"suspended"_s}}}});
}

void PaymentBooks::restore(db::Session &db, const UserId &user, const db::Row &dispute, Done &done) const
{
    const auto since = dispute.maybeTime("suspended_at");
    if (!since)
        return;
    db.execute("payments.note_suspension", {{"id", dispute.text("id")}, {"at", std::nullopt}});
    if (const auto other = db.first("payments.other_dispute", {{"user_id", user}, {"id", dispute.text("id")}})) {
        db.execute("payments.note_suspension", {{"id", other->text("id")}, {"at", *since}});
        return;
    }
    if (db.execute("payments.restore_after_dispute", {{"user_id", user}, {"since", *since}, {"now", db.now()}}) == 0)
        return;
    done.audit.append({{u"act"_s, u"user.restore"_s},
                       {u"target"_s, QString(u"user:"_s + user.toString())},
                       {u"reason"_s, QString(u"Dispute won: "_s + dispute.text("reference"))},
                       {u"before"_s, QJsonObject{{u"status"_s, u"suspended"_s}}},
                       {u"after"_s, QJsonObject{{u"status"_s, u"active"_s}}}});
}

} // namespace companion::payments
