#pragma once

#include "app/Configuration.h"
#include "billing/Entitlements.h"
#include "billing/Market.h"
#include "billing/Subscriptions.h"
#include "billing/TierStore.h"
#include "characters/CharacterService.h"
#include "chat/ChatService.h"
#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"
#include "identity/ApiKeyService.h"
#include "identity/AuditLog.h"
#include "identity/FirebaseProvider.h"
#include "identity/SignInService.h"
#include "ledger/Ledger.h"
#include "memory/MemoryService.h"
#include "moderation/RuleSets.h"
#include "payments/Checkouts.h"
#include "payments/PaymentBooks.h"
#include "rights/ErasureService.h"
#include "rights/ExportService.h"

#include <expected>
#include <memory>

namespace companion::app {

// All rooms' rules, made and joined: what the server serves and the commands use. Needs no database to be made.
class Features
{
public:
    // An error text for every rule or data file that cannot be used, and for a moderation key that is none.
    static std::expected<std::unique_ptr<Features>, QString> make(const Configuration &configuration,
                                                                  const Clock &clock);

    ledger::Ledger ledger;
    billing::TierStore tiers;
    billing::Market market{ledger};
    characters::CharacterService characters;
    identity::AccountStore accounts;
    identity::AuditLog audit;
    identity::ApiKeyService apiKeys;
    identity::AccessKeyProvider accessKeys;
    identity::AccessTokens tokens;
    // Null where Firebase is not configured; no certificates for the emulator's tokens, which nobody signs.
    std::unique_ptr<jose::PublishedCertificates> firebaseCertificates;
    std::unique_ptr<identity::FirebaseProvider> firebase;
    identity::SignInService signIn{tokens, {&accessKeys}};
    moderation::ModerationStore moderation;
    std::shared_ptr<moderation::Engine> screen;
    std::unique_ptr<moderation::RuleSets> rules;
    std::shared_ptr<const moderation::Disclosure> disclosure;
    std::shared_ptr<const moderation::HelpLines> helpLines;
    memory::Spaces spaces;
    std::unique_ptr<memory::MemoryService> memory;
    std::unique_ptr<chat::ChatService> chat;
    std::unique_ptr<billing::SubscriptionService> subscriptions;
    std::unique_ptr<payments::PaymentBooks> paymentBooks;
    std::unique_ptr<payments::Checkouts> checkouts;
    // What all rooms keep of a person; a room that keeps more adds it here (identity/PersonalData.h).
    rights::PersonalDataList personalData = rights::ownPersonalData();
    rights::ExportService exports{personalData};
    rights::ErasureService erasures{personalData};

private:
    Features(const Clock &clock, moderation::TextCipher cipher);
    void offerFirebase(const Configuration &configuration, const Clock &clock);
};

} // namespace companion::app
