#include "payments/stripe/StripeProvider.h"

#include "payments/SoundJson.h"
#include "payments/stripe/StripeReader.h"
#include "payments/stripe/StripeSignature.h"

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;
using namespace stripe;

StripeProvider::StripeProvider(db::Workers &operators, const StripeOptions &options, QObject *parent)
    : PaymentProvider(parent)
    , m_operators(operators)
    , m_options(options)
    , m_api(options.api)
{
}

std::optional<bool> StripeProvider::isLiveKey(const QString &key)
{
    for (const char *prefix : {"sk_live_", "rk_live_", "sk_org_live_"})
        if (key.startsWith(QLatin1StringView(prefix)))
            return true;
    for (const char *prefix : {"sk_test_", "rk_test_", "sk_org_test_"})
        if (key.startsWith(QLatin1StringView(prefix)))
            return false;
    return std::nullopt;
}

void StripeProvider::verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then)
{
    then(verified(webhook, now));
}

Result<ProviderEvent> StripeProvider::verified(const Webhook &webhook, const QDateTime &now) const
{
    const auto named = std::ranges::count_if(webhook.headers, [](const auto &header) {
        return header.first.compare("Stripe-Signature", Qt::CaseInsensitive) == 0;
    });
    if (named > 1)
        return notBelieved(u"forged: several headers Stripe-Signature"_s);
    const auto believed =
        checkSignature(webhook.header("Stripe-Signature"), webhook.body, m_options.webhookSecrets, now);
    if (!believed)
        return std::unexpected(believed.error());
    const auto event = readSoundJson(webhook.body);
    if (!event || (*event)[u"object"_s].toString() != "event"_L1 || !(*event)[u"livemode"_s].isBool())
        return notBelieved(u"unreadable: no event of API v1"_s);
    if ((*event)[u"livemode"_s].toBool() != m_options.live)
        return notBelieved(u"of another environment: %1 mode"_s.arg(m_options.live ? u"test"_s : u"live"_s));
    const QString id = idOf(*event);
    const QDateTime createdAt = timeOf((*event)[u"created"_s]);
    if (!StripeApi::isId(id, "evt_") || !createdAt.isValid())
        return notBelieved(u"unreadable: no id or time"_s);
    const ReadEvent read = readEvent(*event);
    return ProviderEvent{id, (*event)[u"type"_s].toString(), createdAt, read.facts, read.lookUp};
}

} // namespace companion::payments
