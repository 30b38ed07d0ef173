#include "app/Features.h"

#include "app/MemoryData.h"
#include "memory/embedders/WordVectors.h"

#include <QDir>
#include <QFile>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

// Without a key in the configuration, one of our own is kept in DATA, so that records stay readable over restarts.
std::expected<moderation::TextCipher, QString> moderationCipher(const Configuration &configuration)
{
    if (!configuration.moderationKey.isEmpty())
        return moderation::TextCipher::fromText(configuration.moderationKey);
    QFile file(QDir(configuration.dataDir).filePath(u"moderation-key"_s));
    if (file.open(QIODevice::ReadOnly))
        return moderation::TextCipher::fromText(QString::fromLatin1(file.readAll().trimmed()));
    const QByteArray key = moderation::TextCipher::newKey();
    if (!file.open(QIODevice::WriteOnly | QIODevice::NewOnly)
        || !file.setPermissions(QFile::ReadOwner | QFile::WriteOwner) || file.write(key.toHex() + '\n') < 0)
        return std::unexpected(u"%1 cannot be written: %2"_s.arg(file.fileName(), file.errorString()));
    return moderation::TextCipher(key);
}

moderation::DisclosureTimes disclosureTimes(const Configuration &configuration)
{
    const auto minutes = [](int count) { return std::chrono::minutes(count); };
    moderation::DisclosureTimes times{.every = minutes(configuration.disclosureEvery_min)};
    if (configuration.disclosureUnverifiedEvery_min > 0)
        times.unverified = minutes(configuration.disclosureUnverifiedEvery_min);
    for (const QString &entry : configuration.disclosureByRegion) // "CA:60"
        times.byRegion.insert(entry.section(u':', 0, 0).toUpper(), minutes(entry.section(u':', 1).toInt()));
    return times;
}

} // namespace

Features::Features(const Clock &clock, moderation::TextCipher cipher)
    : tokens(clock, {{u"unused"_s, moderation::TextCipher::newKey()}}) // until the database's keys are loaded
    , moderation(std::move(cipher))
    , spaces(memory::WordVectors::builtIn())
{
}

void Features::offerFirebase(const Configuration &configuration, const Clock &clock)
{
    if (configuration.firebaseProjectId.isEmpty())
        return;
    if (configuration.firebaseAuthEmulatorHost.isEmpty())
        firebaseCertificates = std::make_unique<jose::PublishedCertificates>(
            clock, jose::PublishedCertificates::Options{.url = QUrl(configuration.firebaseCertificatesUrl)});
    else
        ensure(!configuration.isProduction(), "the emulator's unsigned tokens are never accepted in production");
    firebase =
        std::make_unique<identity::FirebaseProvider>(configuration.firebaseProjectId, firebaseCertificates.get());
    signIn.offer(*firebase);
}

std::expected<std::unique_ptr<Features>, QString> Features::make(const Configuration &configuration, const Clock &clock)
{
    auto cipher = moderationCipher(configuration);
    if (cipher)
        cipher = cipher->withEarlier(configuration.moderationOldKeys);
    if (!cipher)
        return std::unexpected(cipher.error());
    std::unique_ptr<Features> features(new Features(clock, std::move(*cipher)));
    const auto screen = moderation::Engine::load();
    if (!screen)
        return std::unexpected(screen.error().join(u'\n'));
    const auto disclosure =
        moderation::Disclosure::load(moderation::Disclosure::builtInFolder(), disclosureTimes(configuration));
    if (!disclosure)
        return std::unexpected(disclosure.error().join(u'\n'));
    const auto helpLines = moderation::HelpLines::load();
    if (!helpLines)
        return std::unexpected(helpLines.error().join(u'\n'));
    features->screen = *screen;
    features->rules = std::make_unique<moderation::RuleSets>(*screen);
    features->disclosure = *disclosure;
    features->helpLines = *helpLines;
    features->offerFirebase(configuration, clock);

    features->memory = std::make_unique<memory::MemoryService>(
        features->spaces,
        memory::MemoryTerms{.memories = configuration.memoryCount,
                            .tokens = configuration.memoryTokens,
                            .gatherWithin_ms = configuration.memoryWait_ms,
                            .cache_bytes = size_t(configuration.memoryCache_mb) * 1024 * 1024,
                            .tokensOf = [](QStringView text) { return llm::estimateTokens(text); }});
    features->personalData.push_back(std::make_unique<MemoryData>(*features->memory));
    features->personalData.push_back(std::make_unique<MemoryReceiptData>(*features->memory));

    chat::ChatTerms terms;
    terms.ratePer1k = configuration.billingRatePer1k;
    terms.minimumCharge = configuration.billingMinimumCharge;
    terms.holdMargin = configuration.billingHoldMargin;
    terms.generationLimit_s = configuration.billingGenerationLimit_s;
    terms.settleGrace_s = configuration.billingHoldGrace_s;
    features->chat = std::make_unique<chat::ChatService>(
        chat::ChatParts{.ledger = features->ledger,
                        .characters = features->characters,
                        .tiers = features->tiers,
                        .moderation = features->moderation,
                        .screen = features->screen,
                        .disclosure = features->disclosure,
                        .helpLines = features->helpLines,
                        .account =
                            [accounts = &features->accounts](db::Session &db, const auto &claims) {
                                return accounts->account(db, claims, db.now());
                            },
                        .entitlements = billing::EntitlementStore(configuration.billingWithholdInDebt),
                        .memory = features->memory.get()},
        terms);
    features->subscriptions = std::make_unique<billing::SubscriptionService>(
        features->ledger, features->tiers,
        billing::SubscriptionService::Terms{configuration.billingGraceDays, configuration.billingRenewalLeeway_s});
    features->paymentBooks =
        std::make_unique<payments::PaymentBooks>(features->ledger, *features->subscriptions,
                                                 payments::PaymentBooks::Policy{
                                                     .suspendOnDispute = configuration.billingSuspendOnDispute});
    features->checkouts = std::make_unique<payments::Checkouts>(*features->subscriptions);
    return features;
}

} // namespace companion::app
