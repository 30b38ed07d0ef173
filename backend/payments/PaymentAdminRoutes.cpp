#include "payments/PaymentLists.h"
#include "payments/PaymentRoutes.h"
#include "payments/PaymentStories.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> paymentReaders{Role::Finance, Role::Support, Role::Viewer};
const QList<Role> finance{Role::Finance};

api::Endpoint adminEndpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin"_s + path,
            .tag = u"Admin: payments"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

api::QueryParameter searchParameter(const char *what)
{
    return {"q", what};
}

// What the list of payments is narrowed by.
struct PaymentFilter
{
    PageRequest page;
    ListPlace place;
    std::optional<PaymentStatus> status;
    std::optional<Provider> provider;
    std::optional<QDateTime> from, to;
    std::optional<UserId> user;
    std::optional<QString> currency;
    std::optional<QString> reference;
};

Result<PaymentFilter> paymentFilterOf(const api::Call &call)
{
    const auto page = call.page();
    const auto place = page ? ListPlace::of(*page) : std::unexpected(page.error());
    const auto status = place ? call.queryValue<PaymentStatus>(u"status"_s) : std::unexpected(place.error());
    const auto provider = status ? call.queryValue<Provider>(u"provider"_s) : std::unexpected(status.error());
    const auto from = provider ? call.queryTime(u"from"_s) : std::unexpected(provider.error());
    const auto to = from ? call.queryTime(u"to"_s) : std::unexpected(from.error());
    if (!to)
        return std::unexpected(to.error());
    const auto asked = call.query(u"user"_s);
    const auto user = asked ? UserId::parse(*asked) : std::nullopt;
    if (asked && !user)
        return std::unexpected(api::Call::invalidQuery({{u"/query/user"_s, u"must be a UUID"_s}}));
    return PaymentFilter{
        *page, *place, *status, *provider, *from, *to, user, call.query(u"currency"_s), call.query(u"reference"_s)};
}

Page<AdminPayment> paymentsBy(db::Session &db, const PaymentFilter &by, const ListSearch &search)
{
    const auto rows = db.rows("payments.find_payments",
                              {{"id", std::nullopt},
                               {"user_id", by.user},
                               {"status", by.status},
                               {"provider", by.provider},
                               {"currency", by.currency},
                               {"reference", by.reference},
                               {"from", by.from},
                               {"to", by.to},
                               {"q", search.text},
                               {"q_id", search.id},
                               {"q_users", search.users},
                               {"before_us", by.place.before_us},
                               {"before_id", by.place.beforeId},
                               {"limit", by.page.limit + 1},
                               {"offset", by.page.offset}});
    return listPage(by.page, rows, &adminPaymentIn, [&] {
        return db
            .one("payments.count_payments",
                 {{"user_id", by.user},
                  {"status", by.status},
                  {"provider", by.provider},
                  {"currency", by.currency},
                  {"reference", by.reference},
                  {"from", by.from},
                  {"to", by.to},
                  {"q", search.text},
                  {"q_id", search.id},
                  {"q_users", search.users}})
            .integer("total");
    });
}

Refusal noPayment()
{
    return {ErrorCode::NotFound, u"There is no such payment."_s};
}

void addPaymentReading(api::Api &api)
{
    auto list = adminEndpoint(http::Method::Get, u"/payments"_s, u"Payments, newest first"_s, paymentReaders);
    list.answers = {api::answer<Page<AdminPayment>>()};
    list.query = {{"user", "Only this user's, by id"},
                  searchParameter("A payment's or user's id, a provider's reference, part of an email or name"),
                  {"status", "Only in this state", JsonType<PaymentStatus>::schema({})},
                  {"provider", "Only by this provider", JsonType<Provider>::schema({})},
                  {"currency", "Only in this currency, like USD"},
                  {"reference", "The provider's id of it"},
                  {"from", "From this time, RFC 3339"},
                  {"to", "Before this time, RFC 3339"}};
    list.paged = true;
    list.cursor = true;
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto by = paymentFilterOf(call);
        if (!by)
            return std::unexpected(by.error());
        return api::ok(paymentsBy(db, *by, ListSearch::of(db, call.query(u"q"_s))));
    });

    auto one = adminEndpoint(http::Method::Get, u"/payments/{id}"_s, u"One payment"_s, paymentReaders);
    one.answers = {api::answer<AdminPayment>()};
    api.act(one, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<PaymentId>();
        const auto payment = id ? PaymentStories().payment(db, *id) : std::nullopt;
        return payment ? Result<http::Reply>(api::ok(*payment)) : std::unexpected(id ? noPayment() : id.error());
    });

    auto story =
        adminEndpoint(http::Method::Get, u"/payments/{id}/story"_s,
                      u"One payment with its lots, money, refunds, disputes, debts and webhooks"_s, paymentReaders);
    story.answers = {api::answer<PaymentStory>()};
    api.act(story, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<PaymentId>();
        const auto found = id ? PaymentStories().story(db, *id) : std::nullopt;
        return found ? Result<http::Reply>(api::ok(*found)) : std::unexpected(id ? noPayment() : id.error());
    });
}

void addRefunding(api::Api &api, const PaymentParts &parts)
{
    auto preview = adminEndpoint(http::Method::Get, u"/payments/{id}/refund"_s,
                                 u"What a refund would take, and what it would leave owed"_s, finance);
    preview.answers = {api::answer<RefundPreview>()};
    preview.query = {{"amount", "How much, in the payment's currency; all that is left by default"}};
    preview.refusals = {ErrorCode::Conflict, ErrorCode::Invalid};
    api.act(preview, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<PaymentId>();
        const auto shown = id ? Refunds().preview(db, *id, call.query(u"amount"_s)) : std::unexpected(id.error());
        return shown ? Result<http::Reply>(api::ok(*shown)) : std::unexpected(shown.error());
    });

    auto refund = adminEndpoint(http::Method::Post, u"/payments/{id}/refund"_s,
                                u"Refund a payment, wholly or in part"_s, finance);
    refund.body = schemaOf<RefundRequest>();
    refund.answers = {api::answer<RefundDone>(201)};
    refund.refusals = {ErrorCode::Conflict, ErrorCode::ProviderFailed, ErrorCode::NotImplemented};
    refund.idempotencyKeyRequired = true;
    api.onLoopOnce(refund, [parts](const api::Call &call, const auto &done) {
        const auto wanted = call.body<RefundRequest>();
        const auto payment = wanted ? call.id<PaymentId>() : std::unexpected(wanted.error());
        if (!payment)
            return done(std::unexpected(payment.error()));
        const RefundWish wish{*payment, wanted->amount, wanted->reason, call.user(), call.idempotencyKey()};
        parts.desk.refund(wish, [parts, wish, done, id = call.request().id](const Result<RefundDone> &refunded) {
            if (!refunded)
                return done(std::unexpected(refunded.error()));
            parts.operators.act(
                &parts.desk,
                [audit = &parts.audit, wish, after = *refunded, id](db::Session &db) {
                    db::Transaction transaction(db);
                    audit->append(db,
                                  {.actor = wish.actor.toString(),
                                   .act = u"payment.refund"_s,
                                   .target = u"payment:"_s + wish.payment.toString(),
                                   .reason = wish.reason,
                                   .before = QJsonObject{{u"amount"_s, wish.amount.value_or(u"all that was left"_s)}},
                                   .after = QJsonObject{{u"refund_id"_s, after.refundId},
                                                        {u"status"_s, toText(after.payment.status)},
                                                        {u"refunded"_s, after.payment.refunded}},
                                   .requestId = QString::fromLatin1(id)});
                    transaction.commit();
                },
                [done, refunded](const auto &) { done(api::created(*refunded)); });
        });
    });
}

void addDebts(api::Api &api, const PaymentParts &parts)
{
    auto list = adminEndpoint(http::Method::Get, u"/debts"_s, u"What users owe for refunded credits"_s, finance);
    list.answers = {api::answer<Page<Debt>>()};
    list.query = {{"all", "Also those that are paid", {{u"type"_s, u"boolean"_s}}},
                  searchParameter("A user's id, or part of their email or name")};
    list.paged = true;
    list.cursor = true;
    api.act(list, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto place = page ? ListPlace::of(*page) : std::unexpected(page.error());
        if (!place)
            return std::unexpected(place.error());
        const bool openOnly = call.query(u"all"_s).value_or(QString()) != "true"_L1;
        const auto search = ListSearch::of(db, call.query(u"q"_s));
        const auto rows = db.rows("payments.debts",
                                  {{"open_only", openOnly},
                                   {"q", search.text},
                                   {"q_id", search.id},
                                   {"q_users", search.users},
                                   {"before_us", place->before_us},
                                   {"before_id", place->beforeId},
                                   {"limit", page->limit + 1},
                                   {"offset", page->offset}});
        return api::ok(listPage(*page, rows, &debtIn, [&] {
            return db
                .one("payments.count_debts",
                     {{"open_only", openOnly}, {"q", search.text}, {"q_id", search.id}, {"q_users", search.users}})
                .integer("total");
        }));
    });

    auto forgive =
        adminEndpoint(http::Method::Post, u"/debts/{id}/forgive"_s, u"Let a debt off, wholly or in part"_s, finance);
    forgive.body = schemaOf<ForgiveRequest>();
    forgive.answers = {api::answer<Debt>(201)};
    forgive.refusals = {ErrorCode::NotFound, ErrorCode::Conflict};
    forgive.idempotencyKeyRequired = true;
    api.act(forgive, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<ForgiveRequest>();
        const auto id = wanted ? call.id<ledger::DebtId>() : std::unexpected(wanted.error());
        if (!id)
            return std::unexpected(id.error());
        const auto before = db.first("payments.debt", {{"id", *id}});
        if (!before)
            return refuse(ErrorCode::NotFound, u"There is no such debt."_s);
        const auto done =
            parts.ledger.forgiveDebt(db,
                                     {.user = before->id<UserId>("user_id"),
                                      .key = u"forgive:%1:%2"_s.arg(call.user().toString(), call.idempotencyKey()),
                                      .debt = *id,
                                      .amount = wanted->amount,
                                      .reason = wanted->reason,
                                      .actor = call.user()});
        if (!done)
            return std::unexpected(done.error());
        const Debt after = debtIn(db.one("payments.debt", {{"id", *id}}));
        parts.audit.append(db,
                           {.actor = call.user().toString(),
                            .act = u"debt.forgive"_s,
                            .target = u"user:"_s + after.userId.toString(),
                            .reason = wanted->reason,
                            .before = QJsonObject{{u"owed"_s, before->credits("remaining").toString()}},
                            .after = QJsonObject{{u"owed"_s, after.remaining.toString()}},
                            .requestId = QString::fromLatin1(call.request().id)});
        return api::created(after);
    });
}

void addReconciliation(api::Api &api, const PaymentParts &parts)
{
    auto list = adminEndpoint(http::Method::Get, u"/reconciliation"_s,
                              u"Where a provider's word and our books differed"_s, finance);
    list.answers = {api::answer<Page<ReconciliationDifference>>()};
    list.query = {{"all", "Also those that are resolved", {{u"type"_s, u"boolean"_s}}},
                  {"provider", "Only of this provider", JsonType<Provider>::schema({})},
                  {"kind", "Only of this kind", JsonType<DifferenceKind>::schema({})}};
    list.paged = true;
    list.cursor = true;
    api.act(list, [books = &parts.books](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto provider = page ? call.queryValue<Provider>(u"provider"_s) : std::unexpected(page.error());
        const auto kind = provider ? call.queryValue<DifferenceKind>(u"kind"_s) : std::unexpected(provider.error());
        if (!kind)
            return std::unexpected(kind.error());
        const bool openOnly = call.query(u"all"_s).value_or(QString()) != "true"_L1;
        const auto found = Reconciliation(*books).differences(db, {openOnly, *provider, *kind}, *page);
        return found ? Result<http::Reply>(api::ok(*found)) : std::unexpected(found.error());
    });

    auto runs = adminEndpoint(http::Method::Get, u"/reconciliation/runs"_s, u"The last comparisons"_s, finance);
    runs.answers = {api::answer<RunList>()};
    api.act(runs, [books = &parts.books](const api::Call &, db::Session &db) -> Result<http::Reply> {
        return api::ok(RunList{Reconciliation(*books).runs(db)});
    });

    auto run =
        adminEndpoint(http::Method::Post, u"/reconciliation/run"_s, u"Compare one day with a provider now"_s, finance);
    run.body = schemaOf<ReconcileRequest>();
    run.answers = {api::answer<ReconciliationRun>()};
    run.refusals = {ErrorCode::ProviderFailed};
    api.onLoop(run, [&api, parts, run](const http::Exchange &exchange, const api::Entry &entry) {
        const auto object = api::readJsonObject(exchange.request());
        const auto wanted =
            object ? fromJson<ReconcileRequest>(*object, UnknownFields::Refuse) : std::unexpected(object.error());
        const auto answer = [=, &api](const Result<ReconciliationRun> &done) {
            api.answer(exchange, run, done ? Result<http::Reply>(api::ok(*done)) : std::unexpected(done.error()),
                       entry.headers);
        };
        if (!wanted)
            return answer(std::unexpected(wanted.error()));
        const QDate day = QDate::fromString(wanted->day, Qt::ISODate);
        if (!day.isValid())
            return answer(companion::refuse(ErrorCode::Invalid, u"There is no such day."_s));
        parts.desk.reconcile(wanted->provider, day, answer);
    });

    auto resolve = adminEndpoint(http::Method::Post, u"/reconciliation/{id}/resolve"_s,
                                 u"Say what became of a difference"_s, finance);
    resolve.body = schemaOf<ResolveRequest>();
    resolve.answers = {api::answer<ReconciliationDifference>()};
    resolve.refusals = {ErrorCode::Conflict};
    api.act(resolve, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<ResolveRequest>();
        const auto id = wanted ? call.id<Id<ResolveRequest>>() : std::unexpected(wanted.error());
        const auto done = id ? Reconciliation(parts.books).resolve(db, id->toString(), wanted->note, call.user())
                             : std::unexpected(id.error());
        if (!done)
            return std::unexpected(done.error());
        parts.audit.append(db,
                           {.actor = call.user().toString(),
                            .act = u"reconciliation.resolve"_s,
                            .target = u"difference:"_s + done->id,
                            .reason = wanted->note,
                            .requestId = QString::fromLatin1(call.request().id)});
        return api::ok(*done);
    });
}

} // namespace

void addPaymentAdminRoutes(api::Api &api, const PaymentParts &parts)
{
    addPaymentReading(api);
    addRefunding(api, parts);
    addDebts(api, parts);
    addReconciliation(api, parts);
    addRevenueRoutes(api);
}

} // namespace companion::payments
