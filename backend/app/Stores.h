#pragma once

#include "app/Configuration.h"
#include "payments/PaymentDesk.h"
#include "payments/apple/AppleProvider.h"
#include "payments/google/GoogleProvider.h"

namespace companion::app {

// The App Store and Google Play, each where it is configured. The configuration has been checked.
class Stores
{
public:
    Stores(const Configuration &configuration, db::Workers &operators, const Clock &clock);

    void addTo(payments::PaymentDesk &desk) const;
    void open() const;
    void close() const;
    // Null where Google is not configured.
    const jose::PublishedCertificates *googleCertificates() const { return m_certificates.get(); }

private:
    std::unique_ptr<payments::AppleProvider> m_apple;
    std::unique_ptr<jose::PublishedCertificates> m_certificates;
    std::unique_ptr<payments::GoogleProvider> m_google;
};

} // namespace companion::app
