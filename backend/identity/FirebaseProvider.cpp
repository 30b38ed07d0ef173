#include "identity/FirebaseProvider.h"

#include "identity/AccountStore.h"
#include "identity/AuditLog.h"

#include <algorithm>

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype longestName = 80;
constexpr qsizetype longestEmail = 254;

FirebaseToken tokensOf(const QString &project, const jose::PublishedCertificates *certificates)
{
    if (!certificates)
        return {project, FirebaseToken::Signed::NotAtAll, {}};
    return {project, FirebaseToken::Signed::ByGoogle,
            [certificates](const QString &keyId) { return certificates->key(keyId); }};
}

// The address that this user has proved to own; empty where there is none. ASCII alone, so that no letter that looks or
// folds like another makes two addresses one; and of the project's own users alone: who runs a tenant verifies for it.
QString provenEmail(const FirebaseUser &user)
{
    const QString &email = user.email;
    const bool plain = std::ranges::all_of(email, [](QChar c) { return c.unicode() > 0x20 && c.unicode() < 0x7f; });
    const bool shaped = email.count(u'@') == 1 && !email.startsWith(u'@') && !email.endsWith(u'@');
    return user.emailVerified && user.tenant.isEmpty() && plain && shaped && email.size() <= longestEmail ? email
                                                                                                          : QString();
}

QString displayNameOf(const FirebaseUser &user)
{
    const QString name = user.name.simplified();
    return (name.isEmpty() ? provenEmail(user).section(u'@', 0, 0) : name).left(longestName);
}

} // namespace

FirebaseProvider::FirebaseProvider(QString project, jose::PublishedCertificates *certificates)
    : m_certificates(certificates)
    , m_tokens(tokensOf(project, certificates))
{
}

void FirebaseProvider::prepare(const QString &token, QObject *context, std::function<void()> then) const
{
    const auto wanted = m_certificates ? m_tokens.wantedKey(token.toLatin1()) : std::nullopt;
    wanted ? m_certificates->want(*wanted, context, std::move(then)) : then();
}

Result<VerifiedIdentity> FirebaseProvider::verify(db::Session &db, const QString &token) const
{
    const QDateTime now = db.now();
    const auto user = m_tokens.verify(token.toLatin1(), now);
    if (user)
        return VerifiedIdentity{.user = userOf(db, *user, now)};
    // A key that is not known may be a forger's or a new one; while the list is old, nobody can tell.
    const auto wanted = m_certificates ? m_tokens.wantedKey(token.toLatin1()) : std::nullopt;
    if (wanted && !m_certificates->key(*wanted) && !m_certificates->state().fresh)
        return std::unexpected(Refusal{.code = ErrorCode::NotReady,
                                       .detail = u"Google's certificates cannot be had at the moment."_s,
                                       .retryAfter_s = 10});
    return std::unexpected(user.error());
}

UserId FirebaseProvider::userOf(db::Session &db, const FirebaseUser &user, const QDateTime &now) const
{
    if (const auto known = linked(db, user, now))
        return *known;
    // From here on one at a time, so that two first sign-ins at the same moment are one user.
    db.one("identity.lock_firebase_project", {{"project", m_tokens.project()}});
    if (const auto known = linked(db, user, now))
        return *known;
    if (const auto known = joined(db, user, now))
        return *known;
    return created(db, user, now);
}

// An erased user's link has ended with them: who comes again comes as somebody new.
std::optional<UserId> FirebaseProvider::linked(db::Session &db, const FirebaseUser &user, const QDateTime &now) const
{
    const auto row =
        db.first("identity.use_firebase_identity", {{"project", m_tokens.project()}, {"uid", user.uid}, {"now", now}});
    if (!row)
        return std::nullopt;
    const auto id = row->id<UserId>("user_id");
    if (row->value<UserStatus>("status") == UserStatus::Erased) {
        db.execute("identity.forget_firebase_identity", {{"project", m_tokens.project()}, {"uid", user.uid}});
        return std::nullopt;
    }
    if (const QString email = provenEmail(user); row->isNull("email") && !email.isEmpty())
        db.execute("identity.adopt_email", {{"user_id", id}, {"email", email}});
    return id;
}

// Not an account that another of the project's users has joined already: that one may have given the address up since.
std::optional<UserId> FirebaseProvider::joined(db::Session &db, const FirebaseUser &user, const QDateTime &now) const
{
    const QString email = provenEmail(user);
    if (email.isEmpty())
        return std::nullopt;
    const auto row = db.first("identity.find_user_to_join", {{"project", m_tokens.project()}, {"email", email}});
    if (!row)
        return std::nullopt;
    const auto id = row->id<UserId>("id");
    link(db, user, id, now);
    AuditLog().append(db,
                      {.actor = u"system"_s,
                       .act = u"user.join_firebase"_s,
                       .target = auditTarget(id),
                       .reason = u"A Firebase user proved to own the account's email address."_s,
                       .after = QJsonObject{{u"project"_s, m_tokens.project()}}});
    return id;
}

UserId FirebaseProvider::created(db::Session &db, const FirebaseUser &user, const QDateTime &now) const
{
    NewUser wanted{.displayName = displayNameOf(user), .email = provenEmail(user)};
    auto made = AccountStore().create(db, wanted, now);
    if (!made) { // the address belongs to an account that is not to be joined
        wanted.email.clear();
        made = AccountStore().create(db, wanted, now);
    }
    ensure(made.has_value(), "a user without an address can always be made");
    link(db, user, made->id(), now);
    return made->id();
}

void FirebaseProvider::link(db::Session &db, const FirebaseUser &user, const UserId &to, const QDateTime &now) const
{
    db.execute("identity.create_firebase_identity",
               {{"project", m_tokens.project()}, {"uid", user.uid}, {"user_id", to}, {"now", now}});
}

} // namespace companion::identity
