#include "app/UserCommand.h"

#include "app/UserStanding.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"
#include "identity/RoleList.h"

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

CommandForm setForm()
{
    return {
        .name = u"user set"_s,
        .summary = u"Change what a user may do, or give credits; all of it or nothing."_s,
        .options =
            standingOptions()
            + QList<
                QCommandLineOption>{{u"status"_s, u"active or suspended; works at once."_s, u"STATUS"_s},
                                    {u"role"_s,
                                     u"The user's roles from now on; may be repeated. user is always one of them."_s,
                                     u"ROLE"_s},
                                    {u"grant"_s,
                                     u"Credits: purchased:AMOUNT, bonus:AMOUNT, bonus:AMOUNT:EXPIRY (2026-12-31 or RFC "
                                     u"3339) or "
                                     "daily_free:AMOUNT (until midnight UTC); may be repeated."_s,
                                     u"BUCKET:AMOUNT[:EXPIRY]"_s}},
        .positionals = {u"EMAIL"_s}};
}

struct Grant
{
    Bucket bucket = Bucket::Bonus;
    Credits amount;
    std::optional<QDateTime> expiresAt;
};

// A day means its end: credit that expires on the 31st can be spent on the 31st.
std::optional<QDateTime> readExpiry(const QString &text)
{
    if (const auto time = json::parseTime(text))
        return time;
    const QDate day = QDate::fromString(text, Qt::ISODate);
    return day.isValid() ? std::optional(day.addDays(1).startOfDay(Qt::UTC)) : std::nullopt;
}

std::expected<Grant, QString> readGrant(const QString &text)
{
    const auto bucket = fromText<Bucket>(text.section(u':', 0, 0));
    if (!bucket)
        return std::unexpected(u"--grant %1: the bucket is daily_free, purchased or bonus."_s.arg(text));
    const auto amount = Credits::parse(text.section(u':', 1, 1));
    if (!amount || *amount <= Credits())
        return std::unexpected(u"--grant %1: the amount is a decimal above 0 with at most 4 places."_s.arg(text));
    Grant grant{*bucket, *amount, {}};
    const QString expiry = text.section(u':', 2);
    if (text.count(u':') < 2)
        return grant;
    grant.expiresAt = readExpiry(expiry);
    if (!grant.expiresAt)
        return std::unexpected(u"--grant %1: the expiry is a day like 2026-12-31 or an RFC 3339 time."_s.arg(text));
    if (*bucket != Bucket::Bonus)
        return std::unexpected(u"--grant %1: only bonus credit takes an expiry."_s.arg(text));
    return grant;
}

QString grantText(const Grant &grant)
{
    return toText(grant.bucket) + u':' + grant.amount.toString()
        + (grant.expiresAt ? u':' + json::timeText(*grant.expiresAt) : QString());
}

struct UserWish
{
    QString email;
    UserStanding standing;
    QList<Grant> grants;
    bool json = false;
};

// The ledger grants purchased and bonus credit; the day's credit it only adjusts. Nobody repeats a command by its key.
Result<Transaction> give(const CommandParts &parts, const UserId &user, const Grant &grant)
{
    const QString key = u"cli-"_s + QUuid::createUuid().toString(QUuid::WithoutBraces);
    const QString reason = u"Granted by the operator's command"_s;
    if (grant.bucket == Bucket::DailyFree)
        return parts.ledger.adjust(
            parts.operators,
            {.user = user, .key = key, .bucket = grant.bucket, .amount = grant.amount, .reason = reason, .actor = {}});
    return parts.ledger.grant(parts.operators,
                              {.user = user,
                               .key = key,
                               .bucket = grant.bucket,
                               .amount = grant.amount,
                               .kind = grant.bucket == Bucket::Bonus ? TransactionKind::BonusGrant
                                                                     : TransactionKind::Adjustment,
                               .expiresAt = grant.expiresAt,
                               .description = reason});
}

// The day's credit is settled first, so that what is given for today is not taken for yesterday's.
Result<BalanceSummary> giveAll(const CommandParts &parts, const identity::Account &account, const QList<Grant> &grants)
{
    const Credits dailyLimit = parts.tiers.terms(parts.operators, account.tier()).dailyCredits;
    auto balance = parts.ledger.refresh(parts.operators, account.id(), dailyLimit);
    for (const Grant &grant : grants) {
        if (!balance)
            return balance;
        if (const auto given = give(parts, account.id(), grant); !given)
            return std::unexpected(given.error());
    }
    return parts.ledger.refresh(parts.operators, account.id(), dailyLimit);
}

void record(db::Session &db, const identity::Account &before, const identity::Account &after, const UserWish &wish)
{
    QJsonObject now = standingOf(after);
    QJsonArray grants;
    for (const Grant &grant : wish.grants)
        grants.append(grantText(grant));
    if (!grants.isEmpty())
        now.insert(u"grants"_s, grants);
    identity::AuditLog().append(db,
                                {.actor = u"cli"_s,
                                 .act = u"user.set"_s,
                                 .target = identity::auditTarget(after.id()),
                                 .reason = u"companion-backend user set"_s,
                                 .before = standingOf(before),
                                 .after = now});
}

Outcome report(const identity::Account &account, const std::optional<BalanceSummary> &balance, bool json)
{
    QJsonObject object = standingOf(account);
    object.insert(u"user_id"_s, account.id().toString());
    object.insert(u"email"_s, account.user.email);
    if (balance)
        object.insert(u"balance"_s, toJson(*balance));
    if (json)
        return printed(object);
    QString text;
    for (const QString &name : {u"email"_s, u"user_id"_s, u"status"_s, u"tier"_s, u"age_verified"_s, u"region"_s})
        text += u"%1  %2\n"_s.arg(name, -12).arg(object.value(name).toVariant().toString());
    if (balance)
        text += u"%1  %2 (daily_free %3, purchased %4, bonus %5)\n"_s.arg(u"balance"_s, -12)
                    .arg(balance->total.toString(), balance->dailyFree.toString(), balance->purchased.toString(),
                         balance->bonus.toString());
    return {.out = text};
}

Outcome set(const CommandParts &parts, const UserWish &wish)
{
    db::Session &db = parts.operators;
    db::Transaction transaction(db);
    const auto before = identity::AccountStore().findByEmail(db, wish.email, db.now());
    if (!before)
        return failed({ErrorCode::NotFound, u"There is no user with the email %1."_s.arg(wish.email)});
    const auto after = applyStanding(db, before->id(), wish.standing);
    if (!after)
        return failed(after.error());
    std::optional<BalanceSummary> balance;
    if (!wish.grants.isEmpty()) {
        const auto given = giveAll(parts, *after, wish.grants);
        if (!given)
            return failed(given.error());
        balance = *given;
    }
    record(db, *before, *after, wish);
    transaction.commit();
    return report(*after, balance, wish.json);
}

std::expected<UserStanding, Outcome> readWholeStanding(const CommandArguments &arguments)
{
    auto standing = readStanding(arguments);
    if (!standing)
        return standing;
    const auto status = arguments.choice<UserStatus>(u"status"_s);
    if (!status)
        return std::unexpected(status.error());
    if (*status == UserStatus::Erased)
        return std::unexpected(arguments.wrong(u"--status takes active or suspended."_s));
    standing->status = *status;
    const auto roles = arguments.choices<Role>(u"role"_s);
    if (!roles)
        return std::unexpected(roles.error());
    if (!roles->isEmpty())
        standing->roles = identity::united(*roles, {Role::User});
    return standing;
}

ParsedCommand parseSet(const QStringList &args)
{
    const auto arguments = CommandArguments::read(setForm(), args);
    if (!arguments)
        return std::unexpected(arguments.error());
    const auto email = readEmail(*arguments, arguments->positional(0));
    if (!email)
        return std::unexpected(email.error());
    const auto standing = readWholeStanding(*arguments);
    if (!standing)
        return std::unexpected(standing.error());
    if (arguments->optionNames().isEmpty())
        return std::unexpected(arguments->wrong(u"Say what to change."_s));
    UserWish wish{*email, *standing, {}, arguments->json()};
    for (const QString &text : arguments->values(u"grant"_s)) {
        const auto grant = readGrant(text);
        if (!grant)
            return std::unexpected(arguments->wrong(grant.error()));
        wish.grants.append(*grant);
    }
    return Command{arguments->dataDir(), [wish](const CommandParts &parts) { return set(parts, wish); }};
}

} // namespace

ParsedCommand userCommand(const QStringList &args)
{
    const QString verb = args.value(0);
    if (verb == u"set"_s)
        return parseSet(args.mid(1));
    const QString help = familyHelp(u"user"_s, {setForm()});
    if (verb == u"--help"_s || verb == u"-h"_s)
        return std::unexpected(Outcome{.out = help});
    return std::unexpected(Outcome{.exitCode = 2, .err = help});
}

} // namespace companion::app
