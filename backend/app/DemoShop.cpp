#include "app/DemoShop.h"

#include "payments/PaymentStories.h"
#include "payments/Reconciliation.h"
#include "payments/Refunds.h"
#include "payments/sandbox/SandboxProvider.h"

#include <QJsonDocument>

namespace companion::app {

using namespace Qt::StringLiterals;
using namespace payments;

namespace {

constexpr int dueAtOnce = 50;

} // namespace

DemoShop::DemoShop(Features &features, db::Session &operators)
    : m_features(features)
    , m_db(operators)
{
}

void DemoShop::employ(const QDateTime &now)
{
    m_secret = m_world.secret(m_db);
    db::Transaction transaction(m_db);
    const auto account = m_features.accounts.create(
        m_db, {.displayName = u"Dana Finance"_s, .email = u"dana@example.com"_s, .roles = {Role::User, Role::Finance}},
        now);
    ensure(account.has_value(), "the demo's operator is new");
    m_operator = account->id();
    transaction.commit();
}

void DemoShop::buy(const UserId &user, const DemoPurchase &purchase)
{
    db::Transaction transaction(m_db);
    const auto begun = m_features.checkouts->beginPackage(
        m_db, {user, {}}, {.product = purchase.product, .provider = Provider::Sandbox, .receipt = {}, .returnUrl = {}},
        u"demo-%1"_s.arg(++m_keys));
    if (!begun)
        return;
    transaction.commit();
    m_payments.insert(purchase.number, begun->order.payment);
    checkOut(*begun, purchase.fate);
}

void DemoShop::checkOut(const Begun &begun, DemoPurchase::Fate fate)
{
    const QString checkout = m_world.openCheckout(m_db, begun.order);
    {
        db::Transaction transaction(m_db);
        (void)m_features.checkouts->attach(m_db, Provider::Sandbox, begun,
                                           {{checkout}, u"/sandbox/checkout/"_s + checkout});
        transaction.commit();
    }
    const SandboxConduct conduct{.copies = fate == DemoPurchase::Fate::WebhookLost ? 0 : 1};
    if (fate == DemoPurchase::Fate::Declined)
        (void)m_world.decline(m_db, checkout, conduct);
    else
        (void)m_world.pay(m_db, checkout, conduct);
    deliver();
}

void DemoShop::subscribe(const UserId &user, Tier tier)
{
    db::Transaction transaction(m_db);
    const auto start =
        m_features.checkouts->beginTier(m_db, {user, {}},
                                        {.tier = tier, .provider = Provider::Sandbox, .receipt = {}, .returnUrl = {}},
                                        u"demo-%1"_s.arg(++m_keys));
    if (!start) // it runs already
        return;
    transaction.commit();
    if (const auto *begun = std::get_if<Begun>(&*start))
        return checkOut(*begun, DemoPurchase::Fate::Paid);
    const payments::TierChange &change = std::get<payments::TierChange>(*start);
    const auto facts = change.isUpgrade ? m_world.upgrade(m_db, change.order) : m_world.downgrade(m_db, change.order);
    if (facts)
        (void)m_features.paymentBooks->apply(m_db, Provider::Sandbox, *facts);
    deliver();
}

void DemoShop::cancel(const UserId &user)
{
    Provider provider{};
    const auto order = m_features.checkouts->cancellation(m_db, user, provider);
    const auto facts = order ? m_world.cancel(m_db, *order) : std::unexpected(order.error());
    if (facts)
        (void)m_features.paymentBooks->apply(m_db, provider, *facts);
    deliver();
}

// As PaymentDesk does it: written down, asked, applied.
void DemoShop::refund(const DemoRefund &wish)
{
    const auto payment = m_payments.constFind(wish.purchase);
    if (payment == m_payments.constEnd())
        return;
    const Refunds refunds;
    db::Transaction transaction(m_db);
    const auto ordered = refunds.order(m_db,
                                       {*payment, wish.amount.isEmpty() ? std::nullopt : std::optional(wish.amount),
                                        wish.reason, m_operator, u"demo-%1"_s.arg(++m_keys)});
    if (!ordered)
        return;
    transaction.commit();
    const auto facts = m_world.refund(m_db, ordered->order);
    if (!facts)
        return refunds.failed(m_db, ordered->id, facts.error().detail);
    (void)m_features.paymentBooks->apply(m_db, Provider::Sandbox, *facts);
    db::Transaction after(m_db);
    refunds.done(m_db, ordered->id);
    m_features.audit.append(m_db,
                            {.actor = m_operator.toString(),
                             .act = u"payment.refund"_s,
                             .target = u"payment:"_s + payment->toString(),
                             .reason = wish.reason,
                             .before = QJsonObject{{u"amount"_s, wish.amount}},
                             .after = QJsonObject{{u"refund_id"_s, ordered->id.toString(QUuid::WithoutBraces)}},
                             .requestId = u"demo"_s});
    after.commit();
    deliver();
}

std::optional<QString> DemoShop::saleOf(int purchase)
{
    const auto payment = m_payments.constFind(purchase);
    const auto told = payment == m_payments.constEnd() ? std::nullopt : PaymentStories().payment(m_db, *payment);
    for (const QString &reference : told ? told->references : QStringList())
        if (reference.startsWith("sbx_pay"_L1))
            return reference;
    return std::nullopt;
}

void DemoShop::dispute(const DemoDispute &dispute)
{
    const auto sale = saleOf(dispute.purchase);
    const auto opened = sale ? m_world.dispute(m_db, *sale) : std::unexpected(Refusal{});
    if (opened)
        m_disputes.insert(dispute.purchase, *opened);
    deliver();
}

void DemoShop::close(const DemoVerdict &verdict)
{
    if (const QString dispute = m_disputes.value(verdict.purchase); !dispute.isEmpty())
        (void)m_world.closeDispute(m_db, dispute, verdict.won);
    deliver();
}

void DemoShop::spree(const UserId &user)
{
    const auto balance = m_features.ledger.balance(m_db, user, {});
    if (!balance || balance->purchased.isZero())
        return;
    db::Transaction transaction(m_db);
    (void)m_features.ledger.adjust(m_db,
                                   {.user = user,
                                    .key = u"demo-%1"_s.arg(++m_keys),
                                    .bucket = Bucket::Purchased,
                                    .amount = -balance->purchased,
                                    .reason = u"Used up in the earlier app"_s,
                                    .actor = m_operator});
    transaction.commit();
}

void DemoShop::midnight()
{
    (void)m_world.renewDue(m_db, dueAtOnce);
    deliver();
    const QDate yesterday = m_db.now().date().addDays(-1);
    const QDateTime from = yesterday.startOfDay(Qt::UTC);
    const FactList told = m_world.payments(m_db, from, from.addDays(1));
    QList<Granted> granted;
    (void)Reconciliation(*m_features.paymentBooks).compare(m_db, Provider::Sandbox, yesterday, told, granted);
}

void DemoShop::deliver()
{
    for (const DueWebhook &webhook : m_world.takeDue(m_db, dueAtOnce)) {
        take(webhook);
        m_world.delivered(m_db, webhook.id);
    }
}

void DemoShop::take(const DueWebhook &webhook)
{
    const QJsonObject object = QJsonDocument::fromJson(webhook.body).object();
    const auto facts = fromJson<FactList>(object[u"facts"_s].toObject());
    ensure(facts.has_value(), "the sandbox's webhooks can be read");
    const QByteArray signature = sandboxSignature(m_secret, webhook.body, m_db.now().toSecsSinceEpoch());
    (void)m_features.paymentBooks->take(
        m_db, Provider::Sandbox, {object[u"id"_s].toString(), object[u"type"_s].toString(), m_db.now(), *facts, {}},
        {.body = webhook.body, .headers = {{"Sandbox-Signature", signature}}});
}

void DemoShop::leaveTrouble(const UserId &user)
{
    const auto sale = [&](const QString &reference, const QString &product, qint64 amount_minor) {
        return PaymentFact{.references = {reference},
                           .payment = {},
                           .user = user,
                           .kind = PaidFor::CreditPackage,
                           .product = product,
                           .state = PaymentFact::State::Paid,
                           .amountMinor = amount_minor,
                           .currency = u"USD"_s,
                           .version = 1,
                           .at = m_db.now()};
    };
    (void)m_features.paymentBooks->apply(m_db, Provider::Sandbox,
                                         {{}, {sale(u"sbx_pay_by_hand"_s, u"starter"_s, 99)}, {}});
    const FactList unknown{{}, {sale(u"sbx_pay_old_shop"_s, u"summer_sale"_s, 499)}, {}};
    const QByteArray body = QJsonDocument(toJson(unknown)).toJson(QJsonDocument::Compact);
    (void)m_features.paymentBooks->take(m_db, Provider::Sandbox,
                                        {u"evt_old_shop"_s, u"payment.paid"_s, m_db.now(), unknown, {}},
                                        {.body = body, .headers = {}});
}

} // namespace companion::app
