#include "app/Stores.h"

#include "app/ConfigurationStores.h"
#include "common/Ensure.h"

namespace companion::app {

Stores::Stores(const Configuration &configuration, db::Workers &operators, const Clock &clock)
{
    if (!configuration.appleBundleId.isEmpty()) {
        const auto setup = appleSetup(configuration);
        ensure(setup.has_value(), "the App Store's settings have been checked");
        m_apple = std::make_unique<payments::AppleProvider>(
            operators, clock, setup->verifier,
            payments::AppleApi::Options{.base = setup->api,
                                        .issuerId = configuration.appleIssuerId,
                                        .keyId = configuration.appleKeyId,
                                        .bundleId = configuration.appleBundleId},
            setup->key);
    }
    if (!configuration.googlePackageName.isEmpty()) {
        const auto account = googleAccount(configuration);
        ensure(account.has_value(), "Google's settings have been checked");
        m_certificates = std::make_unique<jose::PublishedCertificates>(
            clock, jose::PublishedCertificates::Options{.url = QUrl(configuration.googleCertificatesUrl)});
        m_google = std::make_unique<payments::GoogleProvider>(
            operators, clock,
            payments::GoogleProvider::Options{.packageName = configuration.googlePackageName,
                                              .push = {configuration.googlePushAudience,
                                                       configuration.googlePushServiceAccount},
                                              .acceptsTests = !configuration.isProduction()},
            payments::GoogleApi::Options{.base = QUrl(configuration.googleApiBase),
                                         .packageName = configuration.googlePackageName},
            *account, *m_certificates);
    }
}

void Stores::addTo(payments::PaymentDesk &desk) const
{
    if (m_apple)
        desk.add(*m_apple);
    if (m_google)
        desk.add(*m_google);
}

void Stores::open() const
{
    if (!m_google)
        return;
    m_certificates->start();
    m_google->open();
}

void Stores::close() const
{
    if (m_google)
        m_google->close();
}

} // namespace companion::app
