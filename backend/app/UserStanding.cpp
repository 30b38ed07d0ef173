#include "app/UserStanding.h"

#include "identity/AccountStore.h"

#include <QRegularExpression>

namespace companion::app {

using namespace Qt::StringLiterals;

QList<QCommandLineOption> standingOptions()
{
    return {{u"tier"_s, u"free, premium or vip, until further notice."_s, u"TIER"_s},
            {u"age-verified"_s, u"Mark the user as 18 or older, on the operator's word."_s},
            {u"region"_s, u"The user's country, two letters (ISO 3166-1)."_s, u"CC"_s}};
}

std::expected<UserStanding, Outcome> readStanding(const CommandArguments &arguments)
{
    UserStanding standing{.ageVerified = arguments.has(u"age-verified"_s)};
    const auto tier = arguments.choice<Tier>(u"tier"_s);
    if (!tier)
        return std::unexpected(tier.error());
    standing.tier = *tier;
    if (arguments.has(u"region"_s)) {
        static const QRegularExpression shape(u"^[A-Z]{2}$"_s);
        standing.region = arguments.value(u"region"_s).toUpper();
        if (!shape.match(*standing.region).hasMatch())
            return std::unexpected(
                arguments.wrong(u"--region takes two letters, like DE, not “%1”."_s.arg(arguments.value(u"region"_s))));
    }
    return standing;
}

std::expected<QString, Outcome> readEmail(const CommandArguments &arguments, const QString &text)
{
    static const QRegularExpression shape(u"^[^@\\s]+@[^@\\s]+$"_s);
    if (text.size() > 254 || !shape.match(text).hasMatch())
        return std::unexpected(arguments.wrong(u"“%1” is no email address."_s.arg(text)));
    return text;
}

Result<identity::Account> applyStanding(db::Session &db, const UserId &user, const UserStanding &standing)
{
    const identity::AccountStore accounts;
    const QDateTime now = db.now();
    auto account =
        accounts.change(db, user, {.region = standing.region, .status = standing.status, .roles = standing.roles}, now);
    if (account && standing.tier)
        account = accounts.setTier(db, user, *standing.tier, {}, now);
    if (account && standing.ageVerified)
        account = accounts.verifyAge(db, user, u"operator"_s, u"command line"_s, now);
    return account;
}

QJsonObject standingOf(const identity::Account &account)
{
    const QJsonObject user = toJson(account.user);
    QJsonObject standing{{u"status"_s, toText(account.status)}};
    for (const QString &name : {u"roles"_s, u"tier"_s, u"tier_expires_at"_s, u"age_verified"_s, u"region"_s})
        standing.insert(name, user.value(name));
    return standing;
}

} // namespace companion::app
