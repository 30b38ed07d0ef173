// Which events are read, and what of each.

#include "payments/stripe/StripeReader.h"

#include <QHash>

namespace companion::payments::stripe {

using namespace Qt::StringLiterals;

namespace {

using State = PaymentFact::State;

struct Told
{
    QJsonObject object;
    qint64 version = 0;
    QDateTime at;
};
using Reading = ReadEvent (*)(const Told &);

ReadEvent of(const std::optional<PaymentFact> &fact)
{
    return fact ? ReadEvent{{{}, {*fact}, {}}, {}} : ReadEvent();
}

ReadEvent completed(const Told &told)
{
    const QString status = told.object[u"payment_status"_s].toString();
    return of(readSession(told.object, status == "unpaid"_L1 ? State::Pending : State::Paid, told.version, told.at));
}

ReadEvent sessionPaid(const Told &told)
{
    return of(readSession(told.object, State::Paid, told.version, told.at));
}

ReadEvent sessionFailed(const Told &told)
{
    return of(readSession(told.object, State::Failed, told.version, told.at));
}

ReadEvent invoice(const Told &told)
{
    return of(readInvoice(told.object, told.version, told.at));
}

ReadEvent subscription(const Told &told)
{
    const auto fact = readSubscription(told.object, told.version, told.at);
    return fact ? ReadEvent{{{*fact}, {}, {}}, {}} : ReadEvent();
}

QJsonObject asked(const QString &what, const Told &told)
{
    return {{u"what"_s, what}, {u"object"_s, told.object}, {u"version"_s, told.version}};
}

// A package's charge has our marks; a subscription's has not, and Stripe is asked for its invoice.
ReadEvent refunded(const Told &told)
{
    if (isOurCharge(told.object))
        return of(readCharge(told.object, told.version, told.at));
    return {{}, asked(u"charge"_s, told)};
}

ReadEvent disputed(const Told &told)
{
    if (!readDispute(told.object, {}, told.version, told.at))
        return {};
    return {{}, asked(u"dispute"_s, told)};
}

// A refund that came to nothing lowers what the charge says of itself.
ReadEvent refundChanged(const Told &told)
{
    const QString status = told.object[u"status"_s].toString();
    if ((status != "failed"_L1 && status != "canceled"_L1) || idOf(told.object[u"charge"_s]).isEmpty())
        return {};
    return {{}, asked(u"refund"_s, told)};
}

const QHash<QString, Reading> &readings()
{
    static const QHash<QString, Reading> all{
        {u"checkout.session.completed"_s, completed},
        {u"checkout.session.async_payment_succeeded"_s, sessionPaid},
        {u"checkout.session.async_payment_failed"_s, sessionFailed},
        {u"checkout.session.expired"_s, sessionFailed},
        {u"invoice.paid"_s, invoice},
        {u"invoice.payment_failed"_s, invoice},
        {u"customer.subscription.created"_s, subscription},
        {u"customer.subscription.updated"_s, subscription},
        {u"customer.subscription.deleted"_s, subscription},
        {u"customer.subscription.paused"_s, subscription},
        {u"customer.subscription.resumed"_s, subscription},
        {u"customer.subscription.trial_will_end"_s, subscription},
        {u"customer.subscription.pending_update_applied"_s, subscription},
        {u"customer.subscription.pending_update_expired"_s, subscription},
        {u"charge.refunded"_s, refunded},
        {u"charge.refund.updated"_s, refundChanged},
        {u"refund.updated"_s, refundChanged},
        {u"refund.failed"_s, refundChanged},
        {u"charge.dispute.created"_s, disputed},
        {u"charge.dispute.updated"_s, disputed},
        {u"charge.dispute.closed"_s, disputed},
        {u"charge.dispute.funds_withdrawn"_s, disputed},
        {u"charge.dispute.funds_reinstated"_s, disputed},
    };
    return all;
}

} // namespace

QStringList eventTypes()
{
    QStringList types = readings().keys();
    types.sort();
    return types;
}

ReadEvent readEvent(const QJsonObject &event)
{
    const Reading reading = readings().value(event[u"type"_s].toString());
    const QDateTime at = timeOf(event[u"created"_s]);
    const bool isConnected = !event[u"account"_s].toString().isEmpty(); // of another account that is connected to ours
    if (!reading || !at.isValid() || isConnected)
        return {};
    return reading({event[u"data"_s].toObject()[u"object"_s].toObject(), at.toMSecsSinceEpoch(), at});
}

} // namespace companion::payments::stripe
