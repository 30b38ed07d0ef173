#include "payments/PaymentProvider.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

QByteArray Webhook::header(const QByteArray &name) const
{
    for (const auto &[key, value] : headers)
        if (key.compare(name, Qt::CaseInsensitive) == 0)
            return value;
    return {};
}

Refusal PaymentProvider::cannot(const QString &what)
{
    return {ErrorCode::NotImplemented, u"This provider cannot %1."_s.arg(what)};
}

void PaymentProvider::complete(const ProviderEvent &event, const Then<ProviderEvent> &then)
{
    then(event);
}

void PaymentProvider::createCheckout(const CheckoutOrder &, const Then<Checkout> &then)
{
    then(std::unexpected(cannot(u"open a checkout: send the store's receipt"_s)));
}

void PaymentProvider::redeem(const Receipt &, const Then<FactList> &then)
{
    then(std::unexpected(cannot(u"take a receipt"_s)));
}

void PaymentProvider::cancel(const SubscriptionOrder &, const Then<FactList> &then)
{
    then(std::unexpected(cannot(u"cancel for you: cancel where you subscribed"_s)));
}

void PaymentProvider::upgrade(const SubscriptionOrder &, const Then<FactList> &then)
{
    then(std::unexpected(cannot(u"change the tier: change it where you subscribed"_s)));
}

void PaymentProvider::downgrade(const SubscriptionOrder &, const Then<FactList> &then)
{
    then(std::unexpected(cannot(u"change the tier: change it where you subscribed"_s)));
}

void PaymentProvider::refund(const RefundOrder &, const Then<FactList> &then)
{
    then(std::unexpected(cannot(u"refund: the store decides about refunds"_s)));
}

void PaymentProvider::fetchPayment(const QStringList &, const Then<FactList> &then)
{
    then(std::unexpected(cannot(u"look up a payment"_s)));
}

void PaymentProvider::openPortal(const PortalOrder &, const Then<QString> &then)
{
    then(std::unexpected(cannot(u"open a page for customers"_s)));
}

void PaymentProvider::acknowledge(const QStringList &, PaidFor, const QString &) { }

} // namespace companion::payments
