#include "app/ConfigurationStores.h"

#include <QFile>

using namespace Qt::StringLiterals;

namespace companion::app {

namespace {

constexpr qint64 mostOfRoots = 64 * 1024;

using IsGiven = std::function<bool(const QString &variable)>;

void needAll(QList<StoreProblem> &problems, const QString &first, const QStringList &all, const IsGiven &given)
{
    for (const QString &variable : all)
        if (!given(variable))
            problems.append({variable, u"is needed with %1"_s.arg(first)});
}

void needFirst(QList<StoreProblem> &problems, const QString &first, const QStringList &all, const IsGiven &given)
{
    for (const QString &variable : all)
        if (given(variable))
            problems.append({variable, u"needs %1 too"_s.arg(first)});
}

void httpsInProduction(QList<StoreProblem> &problems, const Configuration &configuration, const QString &variable,
                       const QString &url)
{
    if (configuration.isProduction() && !url.isEmpty() && !url.startsWith("https://"_L1))
        problems.append({variable, u"must be https:// with COMPANION_ENV=production"_s});
}

void appleProblems(QList<StoreProblem> &problems, const Configuration &all, const IsGiven &given)
{
    const QString first = u"APPLE_BUNDLE_ID"_s;
    const QStringList needed{u"APPLE_ISSUER_ID"_s, u"APPLE_KEY_ID"_s, u"APPLE_PRIVATE_KEY"_s,
                             u"APPLE_ROOT_CERTIFICATES"_s};
    if (all.appleBundleId.isEmpty())
        return needFirst(problems, first,
                         needed + QStringList{u"APPLE_APP_ID"_s, u"APPLE_ENVIRONMENT"_s, u"APPLE_API_BASE"_s}, given);
    const auto before = problems.size();
    needAll(problems, first, needed, given);
    if (all.appleEnvironment == Configuration::AppleStore::Production)
        needAll(problems, first, {u"APPLE_APP_ID"_s}, given);
    else if (all.isProduction())
        problems.append({u"APPLE_ENVIRONMENT"_s, u"the sandbox takes no money: never with COMPANION_ENV=production"_s});
    httpsInProduction(problems, all, u"APPLE_API_BASE"_s, all.appleApiBase);
    if (problems.size() == before)
        if (const auto setup = appleSetup(all); !setup)
            problems.append(setup.error());
}

void googleProblems(QList<StoreProblem> &problems, const Configuration &all, const IsGiven &given)
{
    const QString first = u"GOOGLE_PACKAGE_NAME"_s;
    const QStringList needed{u"GOOGLE_SERVICE_ACCOUNT"_s, u"GOOGLE_PUSH_AUDIENCE"_s, u"GOOGLE_PUSH_SERVICE_ACCOUNT"_s};
    if (all.googlePackageName.isEmpty())
        return needFirst(problems, first, needed + QStringList{u"GOOGLE_API_BASE"_s, u"GOOGLE_CERTIFICATES_URL"_s},
                         given);
    needAll(problems, first, needed, given);
    httpsInProduction(problems, all, u"GOOGLE_API_BASE"_s, all.googleApiBase);
    httpsInProduction(problems, all, u"GOOGLE_CERTIFICATES_URL"_s, all.googleCertificatesUrl);
    if (given(u"GOOGLE_SERVICE_ACCOUNT"_s))
        if (const auto account = googleAccount(all); !account)
            problems.append(account.error());
}

} // namespace

std::expected<AppleSetup, StoreProblem> appleSetup(const Configuration &configuration)
{
    using Environment = payments::AppleEnvironment;
    const bool isProduction = configuration.appleEnvironment == Configuration::AppleStore::Production;
    const auto key = jose::JwsKey::fromPrivateKey(configuration.applePrivateKey.toLatin1());
    if (!key || key->algorithm() != jose::JwsKey::Algorithm::ES256)
        return std::unexpected(StoreProblem{u"APPLE_PRIVATE_KEY"_s, u"must be a private key on P-256, in PEM"_s});
    QFile file(configuration.appleRootCertificates);
    if (!file.open(QIODevice::ReadOnly))
        return std::unexpected(StoreProblem{u"APPLE_ROOT_CERTIFICATES"_s,
                                            u"%1 cannot be read: %2"_s.arg(file.fileName(), file.errorString())});
    const auto roots = payments::AppleSignatures::withRoots(file.read(mostOfRoots));
    if (!roots)
        return std::unexpected(StoreProblem{u"APPLE_ROOT_CERTIFICATES"_s, roots.error()});
    const QString usual =
        isProduction ? u"https://api.storekit.itunes.apple.com"_s : u"https://api.storekit-sandbox.itunes.apple.com"_s;
    return AppleSetup{{*roots,
                       {configuration.appleBundleId, configuration.appleAppId.toLongLong(),
                        isProduction ? Environment::Production : Environment::Sandbox}},
                      QUrl(configuration.appleApiBase.isEmpty() ? usual : configuration.appleApiBase),
                      *key};
}

std::expected<payments::GoogleAccount, StoreProblem> googleAccount(const Configuration &configuration)
{
    auto account = payments::GoogleAccount::read(configuration.googleServiceAccount.toUtf8());
    if (!account)
        return std::unexpected(StoreProblem{u"GOOGLE_SERVICE_ACCOUNT"_s, account.error()});
    if (configuration.isProduction() && account->tokenUrl.scheme() != "https"_L1)
        return std::unexpected(StoreProblem{u"GOOGLE_SERVICE_ACCOUNT"_s,
                                            u"its token_uri must be https:// with COMPANION_ENV=production"_s});
    return *account;
}

QList<StoreProblem> storeProblems(const Configuration &configuration, const IsGiven &given)
{
    QList<StoreProblem> problems;
    appleProblems(problems, configuration, given);
    googleProblems(problems, configuration, given);
    return problems;
}

} // namespace companion::app
