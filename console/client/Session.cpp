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

void Session::lookAt(const QUrl &server)
{
    if (m_state != State::SignedOut)
        return;
    m_client.setServer(server);
    m_auth.offers().then(this, [this, server](const ApiResult<SignInOffers> &offers) {
        Q_EMIT offersFound(server, offers.value_or(SignInOffers()));
    });
}

void Session::begin(const QUrl &server)
{
    m_client.setServer(server);
    setState(State::SigningIn);
}

void Session::signIn(const QUrl &server, const QString &accessKey, bool keep)
{
    begin(server);
    m_auth.logIn(LoginProvider::AccessKey, accessKey).then(this, [=, this](const ApiResult<TokenGrant> &grant) {
        if (!grant)
            return refuseSignIn(grant.error());
        m_accessKey = accessKey;
        adopt(*grant);
        if (keep)
            keepCredential();
    });
}

void Session::signInByEmail(const QUrl &server, const SignInOffer &offer, const QString &email, const QString &password,
                            bool keep)
{
    begin(server);
    m_firebase.withPassword(offer, email, password, this, [=, this](const ApiResult<FirebaseTicket> &ticket) {
        logInWithTicket({offer, email, {}}, ticket, keep);
    });
}

void Session::logInWithTicket(const FirebaseAccount &account, const ApiResult<FirebaseTicket> &ticket, bool keep)
{
    if (!ticket)
        return refuseSignIn(ticket.error());
    const FirebaseAccount renewed{account.offer, account.email, ticket->refreshToken};
    m_auth.logIn(LoginProvider::Firebase, ticket->idToken).then(this, [=, this](const ApiResult<TokenGrant> &grant) {
        if (!grant)
            return refuseSignIn(grant.error());
        m_account = renewed;
        adopt(*grant);
        if (keep)
            keepCredential();
    });
}

void Session::refuseSignIn(const Problem &problem)
{
    setState(State::SignedOut);
    Q_EMIT refused(problem);
}

void Session::resume(const QUrl &server)
{
    setState(State::SigningIn);
    m_keyring.read(server.toString(), this, [this, server](const Keyring::Secret &secret) {
        const auto account = secret ? FirebaseAccount::fromText(*secret) : std::nullopt;
        if (account)
            return resumeFirebase(server, *account);
        if (secret)
            return signIn(server, *secret, false);
        setState(State::SignedOut);
        if (!secret.error().missing)
            Q_EMIT keyringFailed(secret.error().message);
    });
}

void Session::resumeFirebase(const QUrl &server, const FirebaseAccount &account)
{
    begin(server);
    m_firebase.renew(account, this, [=, this](const ApiResult<FirebaseTicket> &ticket) {
        const bool changed = ticket && ticket->refreshToken != account.refreshToken;
        logInWithTicket(account, ticket, changed);
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
            return renewAnew(grant.error());
        m_client.notRenewed(grant.error());
        m_renewal.start(std::chrono::seconds(5));
    });
}

// The refresh token is no longer taken: with what was signed in with, nobody has to notice.
void Session::renewAnew(const Problem &why)
{
    m_renewing = true;
    if (!m_accessKey.isEmpty())
        return renewWith(LoginProvider::AccessKey, m_accessKey);
    if (!m_account)
        return notRenewed(why);
    m_firebase.renew(*m_account, this, [this](const ApiResult<FirebaseTicket> &ticket) {
        if (!ticket)
            return notRenewed(ticket.error());
        if (m_account)
            m_account->refreshToken = ticket->refreshToken;
        renewWith(LoginProvider::Firebase, ticket->idToken);
    });
}

void Session::renewWith(LoginProvider provider, const QString &token)
{
    m_auth.logIn(provider, token).then(this, [this](const ApiResult<TokenGrant> &grant) {
        m_renewing = false;
        grant ? adopt(*grant) : notRenewed(grant.error());
    });
}

// A refusal ends the session; silence does not: the next call tries again.
void Session::notRenewed(const Problem &problem)
{
    m_renewing = false;
    m_client.notRenewed(problem);
    if (problem.kind != Problem::Kind::Refused)
        return m_renewal.start(std::chrono::seconds(5));
    end();
    Q_EMIT refused(problem);
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
    m_account.reset();
    m_refreshToken.clear();
    m_user = {};
    m_client.setBearer({});
    setState(State::SignedOut);
}

void Session::keepCredential()
{
    const QString secret = m_account ? m_account->toText() : m_accessKey;
    m_keyring.write(m_client.server().toString(), secret, this, [this](const Keyring::Done &failure) {
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
