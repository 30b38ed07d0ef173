#include "payments/PaymentDesk.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {
constexpr int catchUpBatch = 50;

// A refusal that is no verdict on what was asked about: the answer is still to be had.
bool isStillOpen(ErrorCode code)
{
    return code == ErrorCode::ProviderFailed || code == ErrorCode::NotReady || code == ErrorCode::Overloaded
        || code == ErrorCode::ShuttingDown;
}
} // namespace

PaymentDesk::PaymentDesk(const DeskParts &parts, QObject *parent)
    : QObject(parent)
    , m_(parts)
    , m_reconciliation(parts.books)
    , m_lane(parts.books, parts.operators)
{
}

void PaymentDesk::add(PaymentProvider &provider)
{
    m_providers.insert(provider.kind(), &provider);
}

PaymentProvider *PaymentDesk::provider(Provider kind) const
{
    return m_providers.value(kind);
}

template <class T>
PaymentProvider *PaymentDesk::wanted(Provider kind, const Then<T> &then) const
{
    PaymentProvider *found = provider(kind);
    if (!found)
        then(std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                     .detail = u"The provider %1 is not set up here."_s.arg(toText(kind)),
                                     .errors = {{u"/provider"_s, u"is not set up here"_s}}}));
    return found;
}

// begin (act) → the provider's checkout → attach (act). A receipt needs no payment of ours before: what the store says
// was bought makes it.
void PaymentDesk::buy(const Buyer &buyer, const PurchaseRequest &request, const QString &key,
                      const Then<StartedPayment> &then)
{
    PaymentProvider *provider = wanted(request.provider, then);
    if (!provider)
        return;
    if (request.receipt)
        return redeem({buyer.id, PaidFor::CreditPackage, request.product, *request.receipt}, *provider, then);
    if (!provider->abilities().checkout)
        return then(companion::refuse(ErrorCode::Invalid, u"Send the store's receipt."_s));
    m_.operators.act(
        this,
        [checkouts = &m_.checkouts, buyer, request, key](db::Session &db) -> Result<Begun> {
            db::Transaction transaction(db);
            auto begun = checkouts->beginPackage(db, buyer, request, key);
            if (begun)
                transaction.commit();
            return begun;
        },
        [this, provider, then](const Result<Begun> &begun) {
            begun ? checkOut(*begun, *provider, then) : then(std::unexpected(begun.error()));
        });
}

void PaymentDesk::subscribe(const Buyer &buyer, const SubscribeRequest &request, const QString &key,
                            const Then<StartedPayment> &then)
{
    PaymentProvider *provider = wanted(request.provider, then);
    if (!provider)
        return;
    if (request.receipt)
        return redeem({buyer.id, PaidFor::Period, toText(request.tier), *request.receipt}, *provider, then);
    if (!provider->abilities().checkout)
        return then(companion::refuse(ErrorCode::Invalid, u"Send the store's receipt."_s));
    using Start = std::variant<Begun, TierChange>;
    m_.operators.act(
        this,
        [checkouts = &m_.checkouts, buyer, request, key](db::Session &db) -> Result<Start> {
            db::Transaction transaction(db);
            auto start = checkouts->beginTier(db, buyer, request, key);
            if (start)
                transaction.commit();
            return start;
        },
        [this, provider, then](const Result<Start> &start) {
            if (!start)
                return then(std::unexpected(start.error()));
            if (const auto *begun = std::get_if<Begun>(&*start))
                return checkOut(*begun, *provider, then);
            changeTier(std::get<TierChange>(*start), *provider, then);
        });
}

void PaymentDesk::checkOut(const Begun &begun, PaymentProvider &provider, const Then<StartedPayment> &then)
{
    const auto started = [](const Payment &payment) {
        return StartedPayment{payment.id, payment.status, payment.checkoutUrl};
    };
    if (begun.repeated && (begun.payment.checkoutUrl || begun.payment.status != PaymentStatus::Pending))
        return then(started(begun.payment));
    provider.createCheckout(begun.order, [=, this, kind = provider.kind()](const Result<Checkout> &checkout) {
        if (!checkout) {
            // An unanswered call may be repeated with the same key; a refused one never will be anything.
            if (checkout.error().code != ErrorCode::ProviderFailed)
                m_.operators.act([checkouts = &m_.checkouts, id = begun.order.payment,
                                  why = checkout.error().detail](db::Session &db) { checkouts->fail(db, id, why); });
            return then(std::unexpected(checkout.error()));
        }
        m_.operators.act(
            this,
            [checkouts = &m_.checkouts, kind, begun, made = *checkout](db::Session &db) {
                db::Transaction transaction(db);
                const Payment payment = checkouts->attach(db, kind, begun, made);
                transaction.commit();
                return payment;
            },
            [then, started](const Result<Payment> &payment) {
                then(payment ? Result<StartedPayment>(started(*payment)) : std::unexpected(payment.error()));
            });
    });
}

void PaymentDesk::redeem(const Receipt &receipt, PaymentProvider &provider, const Then<StartedPayment> &then)
{
    provider.redeem(receipt, [=, this, kind = provider.kind()](const Result<FactList> &facts) {
        if (!facts)
            return then(std::unexpected(facts.error()));
        apply(kind, *facts, [=](const Result<Taken> &taken) {
            if (!taken)
                return then(std::unexpected(taken.error()));
            if (taken->what != Taken::What::Applied)
                return then(companion::refuse(ErrorCode::Conflict, taken->reason));
            then(StartedPayment{std::nullopt, PaymentStatus::Paid, std::nullopt});
        });
    });
}

void PaymentDesk::changeTier(const TierChange &change, PaymentProvider &provider, const Then<StartedPayment> &then)
{
    const auto applied = [=, this, kind = provider.kind()](const Result<FactList> &facts) {
        if (!facts)
            return then(std::unexpected(facts.error()));
        apply(kind, *facts, [=](const Result<Taken> &taken) {
            if (!taken)
                return then(std::unexpected(taken.error()));
            then(StartedPayment{std::nullopt, PaymentStatus::Paid, std::nullopt});
        });
    };
    change.isUpgrade ? provider.upgrade(change.order, applied) : provider.downgrade(change.order, applied);
}

void PaymentDesk::cancel(const UserId &user, const Then<SubscriptionState> &then,
                         const billing::SubscriptionService &subscriptions)
{
    using Order = std::pair<Provider, SubscriptionOrder>;
    m_.operators.act(
        this,
        [checkouts = &m_.checkouts, user](db::Session &db) -> Result<Order> {
            Provider kind{};
            const auto order = checkouts->cancellation(db, user, kind);
            return order ? Result<Order>(Order(kind, *order)) : std::unexpected(order.error());
        },
        [=, this, service = &subscriptions](const Result<Order> &order) {
            PaymentProvider *provider = order ? wanted(order->first, then) : nullptr;
            if (!order)
                return then(std::unexpected(order.error()));
            if (!provider)
                return;
            provider->cancel(order->second, [=, this, kind = order->first](const Result<FactList> &facts) {
                if (!facts)
                    return then(std::unexpected(facts.error()));
                apply(kind, *facts, [=, this](const Result<Taken> &taken) {
                    if (!taken)
                        return then(std::unexpected(taken.error()));
                    m_.operators.act(
                        this, [service, user](db::Session &db) { return service->stateOf(db, user); },
                        [then](const Result<SubscriptionState> &state) { then(state); });
                });
            });
        });
}

void PaymentDesk::openPortal(const UserId &user, const PortalRequest &request, const Then<PortalLink> &then)
{
    PaymentProvider *provider = wanted(request.provider, then);
    if (!provider)
        return;
    m_.operators.act(
        this,
        [user, kind = request.provider](db::Session &db) {
            const auto row = db.first("payments.customer_of", {{"user_id", user}, {"provider", kind}});
            return row ? row->text("customer") : QString();
        },
        [=](const Result<QString> &customer) {
            if (!customer)
                return then(std::unexpected(customer.error()));
            provider->openPortal({user, *customer, request.returnUrl.value_or(QString())},
                                 [then](const Result<QString> &url) {
                                     then(url ? Result<PortalLink>(PortalLink{*url}) : std::unexpected(url.error()));
                                 });
        });
}

void PaymentDesk::apply(Provider provider, const FactList &facts, const Then<Taken> &then)
{
    m_.operators.act(
        this, [books = &m_.books, provider, facts](db::Session &db) { return books->apply(db, provider, facts); },
        [this, then](const Result<Taken> &taken) {
            if (taken)
                acknowledge(taken->granted);
            then(taken);
        });
}

void PaymentDesk::acknowledge(const QList<Granted> &granted)
{
    for (const Granted &grant : granted)
        if (PaymentProvider *from = provider(grant.provider))
            from->acknowledge(grant.references, grant.kind, grant.product);
}

// verify → (look up) → one act that keeps and applies it.
void PaymentDesk::webhook(Provider kind, const Webhook &raw, const Then<Taken> &then)
{
    PaymentProvider *from = wanted(kind, then);
    if (!from)
        return;
    if (raw.body.size() > PaymentBooks::mostBytes)
        return refuse(kind, raw,
                      {.code = ErrorCode::PayloadTooLarge,
                       .detail = u"A webhook has at most %1 bytes."_s.arg(PaymentBooks::mostBytes),
                       .log = u"oversized: %1 bytes"_s.arg(raw.body.size())},
                      then);
    from->verifyWebhook(raw, m_.clock.now(), [=, this](const Result<ProviderEvent> &event) {
        if (event)
            return takeVerified(kind, *event, raw, then);
        if (event.error().code != ErrorCode::MalformedRequest) // not doubt but a failure of ours: it comes again
            return then(std::unexpected(event.error()));
        refuse(kind, raw, event.error(), then);
    });
}

void PaymentDesk::takeVerified(Provider kind, const ProviderEvent &event, const Webhook &raw, const Then<Taken> &then)
{
    if (!event.lookUp)
        return take({kind, event, raw}, then);
    m_.operators.act(
        this, [books = &m_.books, kind, event, raw](db::Session &db) { return books->keep(db, kind, event, raw); },
        [=, this](const Result<bool> &isNew) {
            if (!isNew)
                return then(std::unexpected(isNew.error()));
            if (!*isNew)
                return then(Taken{Taken::What::Duplicate, {}, {}});
            provider(kind)->complete(event, [=, this](const Result<ProviderEvent> &whole) {
                if (whole)
                    return takeAlone({kind, *whole, raw}, then);
                then(Taken{Taken::What::Waiting, whole.error().detail, {}}); // it is kept: catchUp() asks again
            });
        });
}

// Together with what comes at the same moment where it is the plain case, else alone.
void PaymentDesk::take(const Delivery &delivery, const Then<Taken> &then)
{
    if (!PaymentBooks::mayBePlain(delivery.event, delivery.raw))
        return takeAlone(delivery, then);
    m_lane.take(this, delivery, [=, this](const Result<std::optional<Taken>> &plain) {
        if (plain && !*plain)
            return takeAlone(delivery, then);
        taken(plain ? Result<Taken>(**plain) : std::unexpected(plain.error()), then);
    });
}

void PaymentDesk::takeAlone(const Delivery &delivery, const Then<Taken> &then)
{
    m_.operators.act(
        this,
        [books = &m_.books, delivery](db::Session &db) {
            return books->take(db, delivery.provider, delivery.event, delivery.raw);
        },
        [this, then](const Result<Taken> &result) { taken(result, then); });
}

void PaymentDesk::taken(const Result<Taken> &taken, const Then<Taken> &then)
{
    if (taken)
        acknowledge(taken->granted);
    then(taken);
}

void PaymentDesk::catchUp()
{
    m_.operators.act(
        this,
        [books = &m_.books](db::Session &db) {
            QList<Granted> granted;
            books->retry(db, catchUpBatch, granted);
            return granted;
        },
        [this](const Result<QList<Granted>> &granted) { acknowledge(granted.value_or(QList<Granted>())); });
    m_.operators.act(
        this, [books = &m_.books](db::Session &db) { return books->claimIncomplete(db, catchUpBatch); },
        [this](const Result<QList<KeptEvent>> &kept) {
            for (const KeptEvent &event : kept.value_or(QList<KeptEvent>()))
                lookUp(event);
        });
}

void PaymentDesk::lookUp(const KeptEvent &kept)
{
    PaymentProvider *from = provider(kept.provider);
    if (!from)
        return;
    from->complete(kept.event, [=, this](const Result<ProviderEvent> &whole) {
        if (!whole && isStillOpen(whole.error().code))
            return; // claimed again later
        m_.operators.act(
            this,
            [books = &m_.books, kept, whole](db::Session &db) -> Taken {
                if (whole)
                    return books->completed(db, kept, whole->facts);
                books->uncompletable(db, kept, whole.error().detail);
                return {Taken::What::Unusable, whole.error().detail, {}};
            },
            [this](const Result<Taken> &taken) {
                if (taken)
                    acknowledge(taken->granted);
            });
    });
}

void PaymentDesk::refuse(Provider kind, const Webhook &raw, const Refusal &refusal, const Then<Taken> &then)
{
    m_.operators.act(
        this,
        [books = &m_.books, kind, raw, refusal](db::Session &db) { books->keepRefused(db, kind, raw, refusal.log); },
        [then, refusal](const auto &) { then(std::unexpected(refusal)); });
}

void PaymentDesk::refund(const RefundWish &wish, const Then<RefundDone> &then)
{
    const auto finish = [this, then](const OrderedRefund &ordered, const PaymentId &payment) {
        m_.operators.act(
            this,
            [checkouts = &m_.checkouts, ordered, payment](db::Session &db) {
                return RefundDone{ordered.id.toString(QUuid::WithoutBraces), *checkouts->find(db, payment)};
            },
            [then](const Result<RefundDone> &done) { then(done); });
    };
    m_.operators.act(
        this,
        [refunds = m_refunds, wish](db::Session &db) -> Result<OrderedRefund> {
            db::Transaction transaction(db);
            auto ordered = refunds.order(db, wish);
            if (ordered)
                transaction.commit();
            return ordered;
        },
        [=, this](const Result<OrderedRefund> &ordered) {
            if (!ordered)
                return then(std::unexpected(ordered.error()));
            if (ordered->done)
                return finish(*ordered, wish.payment);
            PaymentProvider *from = wanted(ordered->provider, then);
            if (!from)
                return;
            from->refund(ordered->order, [=, this, order = *ordered](const Result<FactList> &facts) {
                if (!facts) {
                    // Asked again with the same key it may still succeed; what was refused is over.
                    if (facts.error().code != ErrorCode::ProviderFailed)
                        m_.operators.act([refunds = m_refunds, id = order.id, why = facts.error().detail](
                                             db::Session &db) { refunds.failed(db, id, why); });
                    return then(std::unexpected(facts.error()));
                }
                apply(order.provider, *facts, [=, this](const Result<Taken> &taken) {
                    if (!taken)
                        return then(std::unexpected(taken.error()));
                    m_.operators.act(
                        this, [refunds = m_refunds, id = order.id](db::Session &db) { refunds.done(db, id); },
                        [=](const auto &) { finish(order, wish.payment); });
                });
            });
        });
}

void PaymentDesk::reconcile(Provider kind, const QDate &day, const Then<ReconciliationRun> &then)
{
    PaymentProvider *from = wanted(kind, then);
    if (!from)
        return;
    const QDateTime start(day, QTime(0, 0), Qt::UTC);
    from->listPayments(start, start.addDays(1), [=, this](const Result<FactList> &told) {
        if (!told) {
            m_.operators.act([compared = m_reconciliation, kind, day, why = told.error().log](db::Session &db) {
                compared.failed(db, kind, day, why);
            });
            return then(std::unexpected(told.error()));
        }
        using Compared = std::pair<ReconciliationRun, QList<Granted>>;
        m_.operators.act(
            this,
            [compared = m_reconciliation, kind, day, facts = *told](db::Session &db) {
                QList<Granted> granted;
                const auto run = compared.compare(db, kind, day, facts, granted);
                return Compared(run, granted);
            },
            [this, then](const Result<Compared> &compared) {
                if (!compared)
                    return then(std::unexpected(compared.error()));
                acknowledge(compared->second);
                then(compared->first);
            });
    });
}

} // namespace companion::payments
