#pragma once

#include "console/client/AuthApi.h"
#include "console/client/FirebaseSignIn.h"
#include "console/client/Keyring.h"

#include <QTimer>

namespace companion::console {

// Who is signed in, and keeping it so: renews the token before it ends and after a refusal, and falls back to what was
// signed in with when the refresh token is no longer taken: the access key, or Firebase's refresh token. That is kept
// in the desktop's keyring where the person wants it; a password never is, nor any longer here than it takes to send
// it.
class Session : public QObject
{
    Q_OBJECT
public:
    enum class State { SignedOut, SigningIn, SignedIn };
    Q_ENUM(State)

    Session(ApiClient &client, Keyring &keyring, QObject *parent = nullptr);

    State state() const { return m_state; }
    const User &user() const { return m_user; }

    // Asks how one may sign in there; offersFound(), empty where the server does not say. Only while signed out.
    void lookAt(const QUrl &server);
    void signIn(const QUrl &server, const QString &accessKey, bool keep);
    void signInByEmail(const QUrl &server, const SignInOffer &offer, const QString &email, const QString &password,
                       bool keep);
    // With what is kept for this server; signedOut() with no problem when there is nothing.
    void resume(const QUrl &server);
    // Revokes the session on the server and forgets what was kept.
    void signOut();

Q_SIGNALS:
    void stateChanged();
    void offersFound(const QUrl &server, const companion::SignInOffers &offers);
    void refused(const companion::console::Problem &problem); // of a sign-in, or of a renewal that ended the session
    void keyringFailed(const QString &message);

private:
    void begin(const QUrl &server);
    void resumeFirebase(const QUrl &server, const FirebaseAccount &account);
    void logInWithTicket(const FirebaseAccount &account, const ApiResult<FirebaseTicket> &ticket, bool keep);
    void refuseSignIn(const Problem &problem);
    void renew();
    void renewAnew(const Problem &why);
    void renewWith(LoginProvider provider, const QString &token);
    void notRenewed(const Problem &problem);
    void adopt(const TokenGrant &grant);
    void end();
    void keepCredential();
    void setState(State state);

    ApiClient &m_client;
    AuthApi m_auth;
    Keyring &m_keyring;
    State m_state = State::SignedOut;
    User m_user;
    FirebaseSignIn m_firebase;
    // One of the two, for the session's life, so that a renewal never loses a half-filled form.
    QString m_accessKey;
    std::optional<FirebaseAccount> m_account;
    QString m_refreshToken;
    QTimer m_renewal;
    bool m_renewing = false;
};

} // namespace companion::console
