#pragma once

#include "identity/FirebaseToken.h"
#include "identity/IdentityProvider.h"
#include "jose/PublishedCertificates.h"

namespace companion::identity {

// Sign-in with a Firebase ID token. The first one of a Firebase user makes an account, or joins the one whose email
// address it proves to own; docs/roles.md says when it joins.
class FirebaseProvider final : public IdentityProvider
{
public:
    // `certificates` is null for the emulator's tokens, which nobody signs.
    FirebaseProvider(QString project, jose::PublishedCertificates *certificates);

    LoginProvider kind() const override { return LoginProvider::Firebase; }
    // Also not_ready: the token names a key that we do not have, while the certificates are stale.
    Result<VerifiedIdentity> verify(db::Session &db, const QString &token) const override;
    void prepare(const QString &token, QObject *context, std::function<void()> then) const override;

private:
    UserId userOf(db::Session &db, const FirebaseUser &user, const QDateTime &now) const;
    std::optional<UserId> linked(db::Session &db, const FirebaseUser &user, const QDateTime &now) const;
    std::optional<UserId> joined(db::Session &db, const FirebaseUser &user, const QDateTime &now) const;
    UserId created(db::Session &db, const FirebaseUser &user, const QDateTime &now) const;
    void link(db::Session &db, const FirebaseUser &user, const UserId &to, const QDateTime &now) const;

    jose::PublishedCertificates *m_certificates;
    FirebaseToken m_tokens;
};

} // namespace companion::identity
