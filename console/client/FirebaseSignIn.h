#pragma once

#include "common/models/Identity.h"
#include "console/client/ApiExchange.h"

#include <QNetworkAccessManager>

namespace companion::console {

// What Firebase gives for an email address and a password, and later for its refresh token.
struct FirebaseTicket
{
    QString idToken; // shown to the companion server; lives an hour
    QString refreshToken;
};

// Somebody's sign-in at Firebase, as it is remembered: never the password.
struct FirebaseAccount
{
    SignInOffer offer;
    QString email;
    QString refreshToken;

    QString toText() const; // for the keyring
    static std::optional<FirebaseAccount> fromText(const QString &text);
};

// Firebase's own REST API (Identity Toolkit, Secure Token), asked from this desktop: the password goes to Google and to
// nobody else. The emulator is used only where it runs on this machine, whatever a server says. Lives on the GUI
// thread.
class FirebaseSignIn : public QObject
{
    Q_OBJECT
public:
    using Then = std::function<void(const ApiResult<FirebaseTicket> &)>;

    explicit FirebaseSignIn(QObject *parent = nullptr);

    static bool isUsable(const SignInOffer &offer); // has what signing in by email and password needs
    // `then` runs once, and only while context lives. Wrong email or password: 401.
    void withPassword(const SignInOffer &offer, const QString &email, const QString &password, QObject *context,
                      Then then);
    void renew(const FirebaseAccount &account, QObject *context, Then then);

private:
    void post(QNetworkRequest request, const QByteArray &body, QObject *context, Then then);

    QNetworkAccessManager m_network;
};

} // namespace companion::console
