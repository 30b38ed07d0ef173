#pragma once

#include "common/Clock.h"
#include "jose/Jws.h"

#include <QJsonObject>

#include <expected>
#include <functional>

namespace companion::payments {

// The OIDC token with which Cloud Pub/Sub pushes: "Authorization: Bearer JWT", RS256 by one of Google's published
// certificates; iss Google's, aud and email exactly as configured, email_verified, exp ahead, iat not (a minute of
// clocks' difference is let pass). Any thread.
class GooglePushToken
{
public:
    using Keys = std::function<std::optional<jose::JwsKey>(const QString &keyId)>;
    struct Expected
    {
        QString audience;
        QString serviceAccount;
    };

    GooglePushToken(Expected expected, Keys keys)
        : m_expected(std::move(expected))
        , m_keys(std::move(keys))
    {
    }

    // The key that a header's token names, if it looks like one at all; for fetching it before it is verified.
    static std::optional<QString> wantedKey(const QByteArray &authorization);
    std::expected<void, QString> verify(const QByteArray &authorization, const QDateTime &now) const;

    static constexpr int clockSkew_s = 60;

private:
    Expected m_expected;
    Keys m_keys;
};

// A real-time developer notification: only a hint that something changed, and where to look.
struct GoogleNotification
{
    enum class Kind { Subscription, OneTime, Voided, Test };

    QString id; // the message's
    Kind kind = Kind::Test;
    QString type; // for people: "subscription 4"
    QDateTime at;
    QString token;
    QString product; // of a one-time purchase
    QString order;   // of a voided one
    bool isSubscription = false; // of a voided one

    QJsonObject toLookUp() const;
    static std::optional<GoogleNotification> fromLookUp(const QJsonObject &object);
};

// Unexpected: why it is not read (of another app, unreadable).
std::expected<GoogleNotification, QString> readGooglePush(const QByteArray &body, const QString &packageName);

// Whether a text can be what Google calls things by: it goes into URLs.
bool isGoogleToken(const QString &text);
bool isGoogleProduct(const QString &text);
bool isGoogleOrder(const QString &text);

} // namespace companion::payments
