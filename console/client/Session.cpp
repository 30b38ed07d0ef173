#include "console/client/Session.h"

namespace companion::console {

Session::Session(ApiClient &client, Keyring &keyring, QObject *parent)
    : QObject(parent)
    , m_client(client)
    , m_auth(client)
    , m_keyring(keyring)
{
    m_renewal.setSingleShot(true);
    connect(&m_renewal, &QTimer::timeout, this, &Session::renew);
    connect(&m_client, &ApiClient::renewalNeeded, this, &Session::renew);
}

void Session::signIn(const QUrl &server, const QString &accessKey, bool keep)
{
    m_client.setServer(server);
    setState(State::SigningIn);
    m_auth.logIn(accessKey).then(this, [=, this](const ApiResult<TokenGrant> &grant) {
        if (!grant) {
            setState(State::SignedOut);
            Q_EMIT refused(grant.error());
            return;
        }
        m_accessKey = accessKey;
        adopt(*grant);
        if (keep)
            keepKey();
    });
}

void Session::resume(const QUrl &server)
{
    setState(State::SigningIn);
    m_keyring.read(server.toString(), this, [this, server](const Keyring::Secret &secret) {
        if (secret)
            return signIn(server, *secret, false);
        setState(State::SignedOut);
        if (!secret.error().missing)
            Q_EMIT keyringFailed(secret.error().message);
    });
}

void Session::signOut()
{
    if (m_state != State::SignedIn)
        return;
    const QString name = m_client.server().toString();
    m_auth.logOut().then(this, [](const ApiResult<ApiAnswer> &) { }); // signed out here whatever the server says
    m_keyring.remove(name, this, [](const Keyring::Done &) { });
    end();
}

// A renewal that cannot reach the server keeps the session: the next call tries again.
void Session::renew()
{
    if (std::exchange(m_renewing, true))
        return;
    m_auth.refresh(m_refreshToken).then(this, [this](const ApiResult<TokenGrant> &grant) {
        m_renewing = false;
        if (grant)
            return adopt(*grant);
        if (grant.error().status == 401)
            return renewWithKey(grant.error());
        m_client.notRenewed(grant.error());
        m_renewal.start(std::chrono::seconds(5));
    });
}

void Session::renewWithKey(const Problem &why)
{
    if (m_accessKey.isEmpty()) {
        m_client.notRenewed(why);
        end();
        Q_EMIT refused(why);
        return;
    }
    m_renewing = true;
    m_auth.logIn(m_accessKey).then(this, [this](const ApiResult<TokenGrant> &grant) {
        m_renewing = false;
        if (grant)
            return adopt(*grant);
        m_client.notRenewed(grant.error());
        if (grant.error().kind != Problem::Kind::Refused)
            return m_renewal.start(std::chrono::seconds(5));
        end();
        Q_EMIT refused(grant.error());
    });
}

void Session::adopt(const TokenGrant &grant)
{
    m_refreshToken = grant.refreshToken;
    m_user = grant.user;
    m_client.setBearer(grant.accessToken.toLatin1());
    m_renewal.start(std::chrono::seconds(std::max(5, grant.expiresIn * 4 / 5)));
    m_client.renewed();
    setState(State::SignedIn);
}

void Session::end()
{
    m_renewal.stop();
    m_accessKey.clear();
    m_refreshToken.clear();
    m_user = {};
    m_client.setBearer({});
    setState(State::SignedOut);
}

void Session::keepKey()
{
    m_keyring.write(m_client.server().toString(), m_accessKey, this, [this](const Keyring::Done &failure) {
        if (failure)
            Q_EMIT keyringFailed(failure->message);
    });
}

void Session::setState(State state)
{
    if (std::exchange(m_state, state) != state)
        Q_EMIT stateChanged();
}

} // namespace companion::console
