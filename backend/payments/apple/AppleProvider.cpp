#include "payments/apple/AppleProvider.h"

#include "common/money/Int128.h"

#include <QJsonDocument>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

std::unexpected<Refusal> notBelievedByApple(const QString &why)
{
    return std::unexpected(
        Refusal{.code = ErrorCode::MalformedRequest, .detail = u"This webhook is not believed."_s, .log = why});
}

std::unexpected<Refusal> noReceipt(const QString &detail, const QString &log = {})
{
    return std::unexpected(Refusal{
        .code = ErrorCode::Invalid, .detail = detail, .log = log, .errors = {{u"/receipt"_s, u"is not accepted"_s}}});
}

// The App Store's own answer was not to be believed.
std::unexpected<Refusal> strangeAnswer(const QString &why)
{
    return std::unexpected(Refusal{.code = ErrorCode::ProviderFailed,
                                   .detail = u"The App Store gave an answer that cannot be believed."_s,
                                   .log = u"App Store API: "_s + why});
}

bool isForeign(const std::optional<UserId> &buyer, const UserId &user)
{
    return buyer && *buyer != user;
}

// In thousandths of a percent, rounded half up and never outside 0 to 100 %.
int milliPercent(qint64 part, qint64 whole)
{
    if (whole <= 0)
        return 0;
    const auto share = static_cast<qint64>((2 * Int128(part) * 100'000 + whole) / (2 * Int128(whole)));
    return static_cast<int>(std::clamp<qint64>(share, 0, 100'000));
}

int usedOf(const db::Row &row, const QDateTime &now)
{
    if (row.value<PaidFor>("kind") == PaidFor::CreditPackage) {
        const Credits bought = row.maybeCredits("credits").value_or(Credits());
        const Credits there = row.credits("remaining") + row.credits("returned");
        return milliPercent((bought - there).units(), bought.units());
    }
    const auto start = row.maybeTime("period_start"), end = row.maybeTime("period_end");
    return start && end ? milliPercent(start->msecsTo(now), start->msecsTo(*end)) : 0;
}

} // namespace

std::optional<QJsonObject> consumptionOf(db::Session &db, const QString &transaction)
{
    const auto row =
        db.first("payments.store_use_of_payment", {{"provider", Provider::Apple}, {"reference", transaction}});
    if (!row || !row->boolean("consented"))
        return std::nullopt;
    return QJsonObject{{u"customerConsented"_s, true},
                       {u"sampleContentProvided"_s, true}, // the free tier
                       {u"deliveryStatus"_s, row->boolean("delivered") ? u"DELIVERED"_s : u"UNDELIVERED_OTHER"_s},
                       {u"consumptionPercentage"_s, usedOf(*row, db.now())}};
}

AppleProvider::AppleProvider(db::Workers &operators, const Clock &clock, AppleVerifier verifier,
                             const AppleApi::Options &api, const jose::JwsKey &key, QObject *parent)
    : PaymentProvider(parent)
    , m_operators(operators)
    , m_clock(clock)
    , m_verifier(std::make_shared<const AppleVerifier>(std::move(verifier)))
    , m_api(clock, api, key)
{
}

void AppleProvider::verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then)
{
    m_operators.act(
        this, [verifier = m_verifier, webhook, now](db::Session &db) { return eventOf(db, verifier, webhook, now); },
        [then](const Result<ProviderEvent> &event) { then(event); });
}

Result<ProviderEvent> AppleProvider::eventOf(db::Session &db, const Verifier &verifier, const Webhook &webhook,
                                             const QDateTime &now)
{
    const QJsonValue payload = QJsonDocument::fromJson(webhook.body).object().value("signedPayload"_L1);
    if (!payload.isString())
        return notBelievedByApple(u"unreadable: no signedPayload"_s);
    const auto told = verifier->notification(payload.toString().toLatin1());
    if (!told)
        return notBelievedByApple(told.error());
    const qint64 age_s = told->signedAt.secsTo(now);
    if (age_s < -aheadTolerance_s || age_s > staleAfter_s)
        return notBelievedByApple(u"stale: signed %1 s ago"_s.arg(age_s));
    const QString type = told->subtype.isEmpty() ? told->type : QString(told->type + u'.' + told->subtype);
    ProviderEvent event{told->id,
                        type,
                        told->signedAt,
                        companion::payments::factsOf(*told, StoreCatalogue::load(db, Provider::Apple)),
                        {}};
    if (told->type == "CONSUMPTION_REQUEST"_L1 && told->transaction)
        event.lookUp = QJsonObject{{u"consumption_of"_s, told->transaction->id}};
    return event;
}

void AppleProvider::complete(const ProviderEvent &event, const Then<ProviderEvent> &then)
{
    const QString transaction = event.lookUp ? event.lookUp->value("consumption_of"_L1).toString() : QString();
    if (transaction.isEmpty())
        return then(event);
    m_operators.act(
        this, [transaction](db::Session &db) { return consumptionOf(db, transaction); },
        [this, event, transaction, then](const Result<std::optional<QJsonObject>> &said) {
            if (!said) // whatever kept us from knowing: asked again
                return then(std::unexpected(Refusal{.code = ErrorCode::ProviderFailed,
                                                    .detail = said.error().detail,
                                                    .log = said.error().log}));
            if (!*said)
                return then(event);
            m_api.sendConsumption(transaction, **said, [event, then](const Result<bool> &sent) {
                // What Apple does not want to know any more is done with.
                const bool isOver = !sent && sent.error().code == ErrorCode::Invalid;
                sent || isOver ? then(event) : then(std::unexpected(sent.error()));
            });
        });
}

void AppleProvider::redeem(const Receipt &receipt, const Then<FactList> &then)
{
    m_operators.act(
        this,
        [verifier = m_verifier, receipt](db::Session &) -> Result<AppleTransaction> {
            const auto read = verifier->transaction(receipt.text.trimmed().toLatin1());
            if (!read)
                return noReceipt(u"This is no receipt of our app's."_s, u"App Store receipt: "_s + read.error());
            if (read->isFamilyShared)
                return noReceipt(u"This purchase was shared by the family: only its buyer can redeem it."_s);
            if (isForeign(read->user, receipt.user))
                return noReceipt(u"This purchase belongs to another account."_s);
            return *read;
        },
        [this, receipt, then](const Result<AppleTransaction> &transaction) {
            transaction ? redeemVerified(receipt, *transaction, then) : then(std::unexpected(transaction.error()));
        });
}

void AppleProvider::redeemVerified(const Receipt &receipt, const AppleTransaction &transaction,
                                   const Then<FactList> &then)
{
    if (transaction.type == AppleTransaction::Type::AutoRenewable)
        return gather({transaction.originalId, receipt.user}, then);
    m_api.transaction(transaction.id, [this, receipt, then](const Result<QByteArray> &now) {
        now ? readSale(receipt, *now, then) : then(std::unexpected(now.error()));
    });
}

void AppleProvider::readSale(const Receipt &receipt, const QByteArray &jws, const Then<FactList> &then)
{
    m_operators.act(
        this,
        [verifier = m_verifier, receipt, jws](db::Session &db) -> Result<FactList> {
            const auto read = verifier->transaction(jws);
            if (!read)
                return strangeAnswer(read.error());
            if (isForeign(read->user, receipt.user))
                return noReceipt(u"This purchase belongs to another account."_s);
            FactList facts;
            facts.payments = paymentFacts(*read, StoreCatalogue::load(db, Provider::Apple), receipt.user);
            return facts;
        },
        [then](const Result<FactList> &facts) { then(facts); });
}

// statuses → history → refunds → facts. The refund list also has what the history left out.
void AppleProvider::gather(const Claim &claim, const Then<FactList> &then)
{
    m_api.statuses(claim.originalId, [=, this](const Result<QList<AppleApi::Status>> &statuses) {
        if (!statuses)
            return then(std::unexpected(statuses.error()));
        Claim known = claim;
        known.statuses = *statuses;
        m_api.history(known.originalId, u"productType=AUTO_RENEWABLE"_s, [=, this](const auto &history) {
            if (!history)
                return then(std::unexpected(history.error()));
            m_api.refunds(known.originalId, [=, this, bought = *history](const auto &refunds) {
                if (!refunds)
                    return then(std::unexpected(refunds.error()));
                Claim whole = known;
                whole.transactions = bought + *refunds;
                m_operators.act(
                    this, [verifier = m_verifier, whole](db::Session &db) { return factsOf(db, verifier, whole); },
                    [then](const Result<FactList> &facts) { then(facts); });
            });
        });
    });
}

// Of all that this customer of Apple's has, what belongs to the one subscription.
Result<FactList> AppleProvider::factsOf(db::Session &db, const Verifier &verifier, const Claim &claim)
{
    const auto catalogue = StoreCatalogue::load(db, Provider::Apple);
    FactList facts;
    for (const AppleApi::Status &status : claim.statuses) {
        const auto newest = verifier->transaction(status.transaction);
        const auto renewal = verifier->renewal(status.renewal);
        if (!newest || !renewal)
            return strangeAnswer(newest ? renewal.error() : newest.error());
        if (newest->originalId != claim.originalId)
            continue;
        if (claim.user && isForeign(newest->user, *claim.user))
            return noReceipt(u"This purchase belongs to another account."_s);
        if (const auto fact = subscriptionFact(*newest, *renewal, catalogue, false, claim.user))
            facts.subscriptions.append(*fact);
        facts.payments.append(paymentFacts(*newest, catalogue, claim.user));
    }
    if (claim.user && facts.subscriptions.isEmpty())
        return noReceipt(u"The App Store has no subscription for this purchase."_s);
    for (const QByteArray &jws : claim.transactions) {
        const auto read = verifier->transaction(jws);
        if (!read)
            return strangeAnswer(read.error());
        if (read->originalId == claim.originalId && !(claim.user && isForeign(read->user, *claim.user)))
            facts.payments.append(paymentFacts(*read, catalogue, claim.user));
    }
    return facts;
}

void AppleProvider::listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then)
{
    // A renewal is told up to a day before its period begins, a sale a little after it.
    const QDateTime until = std::min(to.addSecs(3600), m_clock.now());
    m_api.notifications(from.addDays(-1), until, [=, this](const Result<QList<QByteArray>> &told) {
        if (!told)
            return then(std::unexpected(told.error()));
        m_operators.act(
            this,
            [verifier = m_verifier, list = *told, from, to](db::Session &db) {
                return factsOfDay(db, verifier, list, from, to);
            },
            [then](const Result<FactList> &facts) { then(facts); });
    });
}

Result<FactList> AppleProvider::factsOfDay(db::Session &db, const Verifier &verifier, const QList<QByteArray> &told,
                                           const QDateTime &from, const QDateTime &to)
{
    const auto catalogue = StoreCatalogue::load(db, Provider::Apple);
    const auto isOfDay = [&](const QDateTime &time) { return time >= from && time < to; };
    FactList facts;
    for (const QByteArray &payload : told) {
        const auto notification = verifier->notification(payload);
        if (!notification)
            return strangeAnswer(notification.error());
        const FactList said = companion::payments::factsOf(*notification, catalogue);
        if (isOfDay(notification->signedAt))
            facts.subscriptions.append(said.subscriptions);
        for (const PaymentFact &payment : said.payments)
            if (isOfDay(payment.at) || isOfDay(notification->signedAt))
                facts.payments.append(payment);
    }
    // The last word about each payment counts; the others would be compared with books that know it already.
    std::ranges::stable_sort(facts.payments, {},
                             [](const PaymentFact &fact) { return std::pair(fact.references.first(), fact.version); });
    QList<PaymentFact> newest;
    for (const PaymentFact &fact : std::as_const(facts.payments)) {
        if (!newest.isEmpty() && newest.last().references == fact.references)
            newest.removeLast();
        newest.append(fact);
    }
    facts.payments = newest;
    return facts;
}

void AppleProvider::fetchSubscription(const QString &reference, const Then<FactList> &then)
{
    gather({reference, std::nullopt}, then);
}

} // namespace companion::payments
