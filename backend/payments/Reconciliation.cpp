#include "payments/Reconciliation.h"

#include "payments/PaymentLists.h"

#include <QSet>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

ReconciliationDifference differenceIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .provider = row.value<Provider>("provider"),
            .day = row.text("day"),
            .kind = row.value<DifferenceKind>("kind"),
            .reference = row.text("reference"),
            .ours = row.text("ours"),
            .theirs = row.text("theirs"),
            .healed = row.boolean("healed"),
            .foundAt = row.time("found_at"),
            .resolvedAt = row.maybeTime("resolved_at"),
            .note = row.maybeText("note"),
            .paymentId = row.maybeId<PaymentId>("payment_id")};
}

QString moneyText(qint64 minor, const QString &currency)
{
    return Money::fromMinor(minor, currency).amount() + u' ' + currency;
}

} // namespace

ReconciliationRun Reconciliation::compare(db::Session &db, Provider provider, const QDate &day, const FactList &told,
                                          QList<Granted> &granted) const
{
    ReconciliationRun run{.provider = provider, .day = day.toString(Qt::ISODate), .runAt = db.now()};
    for (const SubscriptionFact &fact : told.subscriptions)
        m_books.apply(db, provider, {{fact}, {}, {}});
    QSet<QString> references;
    for (const PaymentFact &fact : told.payments) {
        references.unite(QSet<QString>(fact.references.begin(), fact.references.end()));
        ++run.theirs;
        run.differences += checkTheirs(db, provider, day, fact, granted, run.healed);
    }
    for (const DisputeFact &fact : told.disputes)
        granted.append(m_books.apply(db, provider, {{}, {}, {fact}}).granted);
    run.differences += checkOurs(db, provider, day, references, run.ours);
    acknowledgeAgain(db, provider, granted);
    db.execute("payments.keep_run",
               {{"provider", provider},
                {"day", run.day},
                {"now", run.runAt},
                {"theirs", run.theirs},
                {"ours", run.ours},
                {"healed", run.healed},
                {"differences", run.differences},
                {"error", std::nullopt}});
    return run;
}

void Reconciliation::failed(db::Session &db, Provider provider, const QDate &day, const QString &why) const
{
    db.execute("payments.keep_run",
               {{"provider", provider},
                {"day", day.toString(Qt::ISODate)},
                {"now", db.now()},
                {"theirs", 0},
                {"ours", 0},
                {"healed", 0},
                {"differences", 0},
                {"error", std::optional(why.left(500))}});
}

// 1 where something differed, healed or not.
int Reconciliation::checkTheirs(db::Session &db, Provider provider, const QDate &day, const PaymentFact &fact,
                                QList<Granted> &granted, int &healed) const
{
    const QString reference = fact.references.value(0);
    const auto look = [&] {
        return db.first("payments.payment_by_reference",
                        {{"provider", provider}, {"references", fact.references}, {"id", fact.payment}});
    };
    const auto differs = [&](const std::optional<db::Row> &ours) -> const char * {
        const bool paid = fact.state == PaymentFact::State::Paid;
        if (!ours)
            return "missing_here";
        if (paid != !ours->isNull("paid_at"))
            return "status";
        if (paid && (ours->integer("amount_minor") != fact.amountMinor || ours->text("currency") != fact.currency))
            return "amount";
        return paid && ours->integer("refunded_minor") != fact.refundedMinor.value_or(0) ? "refunded" : nullptr;
    };
    const auto before = look();
    const char *const kind = differs(before);
    const Taken taken = m_books.apply(db, provider, {{}, {fact}, {}}); // also what a lost webhook would have said
    granted.append(taken.granted);
    if (!kind)
        return 0;
    const auto after = look();
    const bool isHealed = differs(after) == nullptr;
    healed += isHealed ? 1 : 0;
    const QString ours = before
        ? u"%1, %2 refunded, %3"_s.arg(before->text("status"),
                                       moneyText(before->integer("refunded_minor"), before->text("currency")),
                                       moneyText(before->integer("amount_minor"), before->text("currency")))
        : u"none"_s;
    QString theirs = u"%1, %2 refunded, %3"_s.arg(fact.state ? toText(*fact.state) : u"-"_s,
                                                  moneyText(fact.refundedMinor.value_or(0), fact.currency),
                                                  moneyText(fact.amountMinor, fact.currency));
    if (!isHealed && !taken.reason.isEmpty())
        theirs += u"; "_s + taken.reason;
    note(db, provider, day, kind, reference, after ? std::optional(after->id<PaymentId>("id")) : std::nullopt, ours,
         theirs, isHealed);
    return 1;
}

// What we have for paid on that day and the provider does not know.
int Reconciliation::checkOurs(db::Session &db, Provider provider, const QDate &day, const QSet<QString> &told,
                              int &ours) const
{
    int differences = 0;
    for (const auto &row :
         db.rows("payments.paid_on_day", {{"provider", provider}, {"day", day.toString(Qt::ISODate)}})) {
        ++ours;
        bool known = false;
        for (const QString &reference : row.texts("refs"))
            known = known || told.contains(reference);
        if (known)
            continue;
        ++differences;
        note(db, provider, day, "missing_there", row.texts("refs").value(0, row.text("id")), row.id<PaymentId>("id"),
             row.text("status") + u", "_s + moneyText(row.integer("amount_minor"), row.text("currency")), u"none"_s,
             false);
    }
    return differences;
}

// A call that got lost heals here, before the three days are over that a store waits for it.
void Reconciliation::acknowledgeAgain(db::Session &db, Provider provider, QList<Granted> &granted) const
{
    for (const auto &row :
         db.rows("payments.paid_lately", {{"provider", provider}, {"since", db.now().addDays(-acknowledgeFor_days)}}))
        granted.append({provider, row.texts("refs"), row.value<PaidFor>("kind"), row.text("product")});
}

void Reconciliation::note(db::Session &db, Provider provider, const QDate &day, const char *kind,
                          const QString &reference, const std::optional<PaymentId> &payment, const QString &ours,
                          const QString &theirs, bool healed) const
{
    db.execute("payments.note_difference",
               {{"id", QUuid::createUuid().toString(QUuid::WithoutBraces)},
                {"provider", provider},
                {"day", day.toString(Qt::ISODate)},
                {"kind", kind},
                {"reference", reference},
                {"payment_id", payment},
                {"ours", ours.left(200)},
                {"theirs", theirs.left(200)},
                {"healed", healed},
                {"now", db.now()}});
}

Result<Page<ReconciliationDifference>> Reconciliation::differences(db::Session &db, const DifferenceFilter &filter,
                                                                   const PageRequest &request) const
{
    const auto place = ListPlace::of(request);
    if (!place)
        return std::unexpected(place.error());
    const auto rows = db.rows("payments.differences",
                              {{"open_only", filter.openOnly},
                               {"provider", filter.provider},
                               {"kind", filter.kind},
                               {"before_us", place->before_us},
                               {"before_id", place->beforeId},
                               {"limit", request.limit + 1},
                               {"offset", request.offset}});
    return listPage(request, rows, &differenceIn, [&] {
        return db
            .one("payments.count_differences",
                 {{"open_only", filter.openOnly}, {"provider", filter.provider}, {"kind", filter.kind}})
            .integer("total");
    });
}

QList<ReconciliationRun> Reconciliation::runs(db::Session &db) const
{
    QList<ReconciliationRun> runs;
    for (const auto &row : db.rows("payments.runs"))
        runs.append({.provider = row.value<Provider>("provider"),
                     .day = row.text("day"),
                     .runAt = row.time("run_at"),
                     .theirs = static_cast<int>(row.integer("theirs")),
                     .ours = static_cast<int>(row.integer("ours")),
                     .healed = static_cast<int>(row.integer("healed")),
                     .differences = static_cast<int>(row.integer("differences")),
                     .error = row.maybeText("error")});
    return runs;
}

Result<ReconciliationDifference> Reconciliation::resolve(db::Session &db, const QString &id, const QString &note,
                                                         const UserId &actor) const
{
    const auto row =
        db.first("payments.resolve_difference", {{"id", id}, {"note", note}, {"actor", actor}, {"now", db.now()}});
    if (row)
        return differenceIn(*row);
    if (db.first("payments.difference", {{"id", id}}))
        return refuse(ErrorCode::Conflict, u"This difference is resolved already."_s);
    return refuse(ErrorCode::NotFound, u"There is no such difference."_s);
}

QList<Provider> Reconciliation::due(db::Session &db, const QList<Provider> &kinds, const QDate &day) const
{
    QList<Provider> due;
    for (const Provider kind : kinds)
        if (!db.first("payments.run_of_day",
                      {{"provider", kind}, {"day", day.toString(Qt::ISODate)}, {"again", db.now().addSecs(-3600)}}))
            due.append(kind);
    return due;
}

} // namespace companion::payments
