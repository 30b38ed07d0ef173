#pragma once

#include "console/client/AuthApi.h"
#include "console/client/Keyring.h"

#include <QTimer>

namespace companion::console {

// Who is signed in, and keeping it so: renews the token before it ends and after a refusal, falls back to the access
// key when the refresh token is no longer taken, and keeps that key in the desktop's keyring.
class Session : public QObject
{
    Q_OBJECT
public:
    enum class State { SignedOut, SigningIn, SignedIn };
    Q_ENUM(State)

    Session(ApiClient &client, Keyring &keyring, QObject *parent = nullptr);

    State state() const { return m_state; }
    const User &user() const { return m_user; }

    void signIn(const QUrl &server, const QString &accessKey, bool keep);
    // With the key kept for this server; signedOut() with no problem when there is none.
    void resume(const QUrl &server);
    // Revokes the session on the server and forgets the key.
    void signOut();

Q_SIGNALS:
    void stateChanged();
    void refused(const companion::console::Problem &problem); // of a sign-in, or of a renewal that ended the session
    void keyringFailed(const QString &message);

private:
    void renew();
    void renewWithKey(const Problem &why);
    void adopt(const TokenGrant &grant);
    void end();
    void keepKey();
    void setState(State state);

    ApiClient &m_client;
    AuthApi m_auth;
    Keyring &m_keyring;
    State m_state = State::SignedOut;
    User m_user;
    QString m_accessKey; // for the session's life, so that a renewal never loses a half-filled form
    QString m_refreshToken;
    QTimer m_renewal;
    bool m_renewing = false;
};

} // namespace companion::console
