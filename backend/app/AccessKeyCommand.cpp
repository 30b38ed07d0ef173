#include "app/AccessKeyCommand.h"

#include "app/UserStanding.h"
#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"
#include "identity/RoleList.h"

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

CommandForm createForm()
{
    return {.name = u"access-key create"_s,
            .summary = u"Make a key that signs in as a user; makes the user where missing. Prints the key this once."_s,
            .options =
                QList<QCommandLineOption>{{u"user"_s, u"The user's email (required)."_s, u"EMAIL"_s},
                                          {u"role"_s,
                                           u"user, admin, finance, support, qa or viewer; may be repeated. The user is "
                                           "given the role where missing, and the key acts as these roles only. "
                                           "Without it the key acts as whatever its user may."_s,
                                           u"ROLE"_s}}
                + standingOptions()};
}

CommandForm listForm()
{
    return {.name = u"access-key list"_s,
            .summary = u"All access keys, the newest first; never the keys themselves."_s,
            .options = {{u"user"_s, u"Of this user only."_s, u"EMAIL"_s}}};
}

CommandForm revokeForm()
{
    return {.name = u"access-key revoke"_s,
            .summary = u"End a key, named by its id, its prefix or itself, and sign out what signed in with it."_s,
            .positionals = {u"KEY"_s}};
}

struct KeyWish
{
    QString email;
    std::optional<QList<Role>> roles;
    UserStanding standing;
};

// Who the key is for; made where missing, given the wanted roles where missing.
Result<identity::Account> userFor(db::Session &db, const KeyWish &wish)
{
    const identity::AccountStore accounts;
    auto account = accounts.findByEmail(db, wish.email, db.now());
    if (!account) {
        const auto made =
            accounts.create(db, {.displayName = wish.email.section(u'@', 0, 0).left(80), .email = wish.email},
                            db.now());
        if (!made)
            return made;
        account = *made;
    }
    UserStanding standing = wish.standing;
    if (wish.roles)
        standing.roles = identity::united(account->user.roles, *wish.roles);
    return applyStanding(db, account->id(), standing);
}

Outcome create(db::Session &db, const KeyWish &wish)
{
    db::Transaction transaction(db);
    const auto account = userFor(db, wish);
    if (!account)
        return failed(account.error());
    const auto key = identity::AccessKeys().create(db, account->id(), wish.roles);
    QJsonObject after = standingOf(*account);
    after.insert(u"access_key"_s, key.prefix);
    identity::AuditLog().append(db,
                                {.actor = u"cli"_s,
                                 .act = u"access_key.create"_s,
                                 .target = identity::auditTarget(account->id()),
                                 .reason = u"companion-backend access-key create"_s,
                                 .after = after});
    transaction.commit();
    return printed({{u"user_id"_s, account->id().toString()}, {u"access_key"_s, key.key}});
}

QString tableOf(const QList<identity::AccessKey> &keys)
{
    QString text;
    for (const identity::AccessKey &key : keys) {
        const QString roles = key.roles ? identity::textsOf(*key.roles).join(u',') : u"all of the user's"_s;
        const QString state = key.revokedAt ? u"revoked "_s + json::timeText(*key.revokedAt)
            : key.lastUsedAt                ? u"last used "_s + json::timeText(*key.lastUsedAt)
                                            : u"never used"_s;
        text += u"%1  %2…  %3  roles: %4  made %5  %6\n"_s.arg(key.id.toString(), key.prefix, key.email, roles,
                                                               json::timeText(key.createdAt), state);
    }
    return text.isEmpty() ? u"There are no access keys.\n"_s : text;
}

Outcome list(db::Session &db, const QString &email, bool json)
{
    std::optional<UserId> user;
    if (!email.isEmpty()) {
        const auto account = identity::AccountStore().findByEmail(db, email, db.now());
        if (!account)
            return failed({ErrorCode::NotFound, u"There is no user with the email %1."_s.arg(email)});
        user = account->id();
    }
    const auto keys = identity::AccessKeys().list(db, user);
    return json ? printed({{u"items"_s, JsonType<QList<identity::AccessKey>>::write(keys)}})
                : Outcome{.out = tableOf(keys)};
}

Outcome revoke(db::Session &db, const QString &which, bool json)
{
    db::Transaction transaction(db);
    const auto key = identity::AccessKeys().revoke(db, which);
    if (!key)
        return failed(key.error());
    identity::AuditLog().append(db,
                                {.actor = u"cli"_s,
                                 .act = u"access_key.revoke"_s,
                                 .target = identity::auditTarget(key->user),
                                 .reason = u"companion-backend access-key revoke"_s,
                                 .after = QJsonObject{{u"access_key"_s, key->prefix}}});
    transaction.commit();
    return json ? printed(toJson(*key)) : Outcome{.out = u"%1… (%2) is revoked.\n"_s.arg(key->prefix, key->email)};
}

ParsedCommand parseCreate(const QStringList &args)
{
    const auto arguments = CommandArguments::read(createForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    if (!arguments->has(u"user"_s))
        return std::unexpected(arguments->wrong(u"--user EMAIL is missing."_s));
    const auto email = readEmail(*arguments, arguments->value(u"user"_s));
    if (!email)
        return std::unexpected(email.error());
    const auto roles = arguments->choices<Role>(u"role"_s);
    if (!roles)
        return std::unexpected(roles.error());
    const auto standing = readStanding(*arguments);
    if (!standing)
        return std::unexpected(standing.error());
    const KeyWish wish{*email, roles->isEmpty() ? std::nullopt : std::optional(*roles), *standing};
    return Command{arguments->dataDir(), [wish](const CommandParts &parts) { return create(parts.operators, wish); }};
}

ParsedCommand parseList(const QStringList &args)
{
    const auto arguments = CommandArguments::read(listForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    return Command{arguments->dataDir(),
                   [email = arguments->value(u"user"_s), json = arguments->json()](const CommandParts &parts) {
                       return list(parts.operators, email, json);
                   }};
}

ParsedCommand parseRevoke(const QStringList &args)
{
    const auto arguments = CommandArguments::read(revokeForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    return Command{arguments->dataDir(),
                   [which = arguments->positional(0), json = arguments->json()](const CommandParts &parts) {
                       return revoke(parts.operators, which, json);
                   }};
}

} // namespace

ParsedCommand accessKeyCommand(const QStringList &args)
{
    const QString verb = args.value(0);
    if (verb == u"create"_s)
        return parseCreate(args.mid(1));
    if (verb == u"list"_s)
        return parseList(args.mid(1));
    if (verb == u"revoke"_s)
        return parseRevoke(args.mid(1));
    const QString help = familyHelp(u"access-key"_s, {createForm(), listForm(), revokeForm()});
    if (verb == u"--help"_s || verb == u"-h"_s)
        return std::unexpected(Outcome{.out = help});
    return std::unexpected(Outcome{.exitCode = 2, .err = help});
}

} // namespace companion::app
