#include "app/Configuration.h"
#include "db/Target.h"
#include "http/ClientAddress.h"

#include <QDir>
#include <QHostAddress>
#include <QRegularExpression>
#include <QUrl>

using namespace Qt::StringLiterals;

namespace companion::app {

namespace {

using Read = decltype(Setting::read);
using Problem = std::optional<QString>;

// A shape and how it is read: the two cannot come apart.
struct Kind
{
    QString shape;
    Read read;
    bool secret = false;
};

Kind text(QString Configuration::*member, const QString &shape = u"text"_s)
{
    return {shape, [member](Configuration &to, const QString &value) -> Problem {
                to.*member = value;
                return {};
            }};
}

Kind matching(QString Configuration::*member, const QString &shape, const QString &pattern)
{
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                if (!QRegularExpression(QRegularExpression::anchoredPattern(pattern)).match(value).hasMatch())
                    return u"must be a "_s + shape;
                to.*member = value;
                return {};
            }};
}

Kind secret(QString Configuration::*member, const QString &shape = u"secret"_s)
{
    Kind kind = text(member, shape);
    kind.secret = true;
    return kind;
}

Kind number(int Configuration::*member, int least, int most)
{
    const QString shape = u"number %1 to %2"_s.arg(least).arg(most);
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                bool ok = false;
                const int read = value.toInt(&ok);
                if (!ok || read < least || read > most)
                    return u"must be a whole "_s + shape;
                to.*member = read;
                return {};
            }};
}

template <class Decimal>
Kind decimal(Decimal Configuration::*member, const QString &least, const QString &most)
{
    const QString shape = u"decimal %1 to %2"_s.arg(least, most);
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                const auto read = Decimal::parse(value);
                if (!read || *read < *Decimal::parse(least) || *Decimal::parse(most) < *read)
                    return u"must be a %1 with at most %2 places"_s.arg(shape).arg(Decimal::places);
                to.*member = *read;
                return {};
            }};
}

Kind oneOf(QString Configuration::*member, const QStringList &choices)
{
    const QString shape = choices.join(u" | "_s);
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                if (!choices.contains(value))
                    return u"must be one of "_s + shape;
                to.*member = value;
                return {};
            }};
}

Kind flag(bool Configuration::*member)
{
    return {u"yes | no"_s, [member](Configuration &to, const QString &value) -> Problem {
                if (value != "yes"_L1 && value != "no"_L1)
                    return u"must be yes or no"_s;
                to.*member = value == "yes"_L1;
                return {};
            }};
}

template <class E>
Kind choice(E Configuration::*member, const QList<std::pair<QString, E>> &choices)
{
    QStringList names;
    for (const auto &[name, value] : choices)
        names << name;
    const QString shape = names.join(u" | "_s);
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                const auto index = names.indexOf(value);
                if (index < 0)
                    return u"must be one of "_s + shape;
                to.*member = choices[index].second;
                return {};
            }};
}

Kind list(QStringList Configuration::*member, const QString &shape)
{
    return {shape, [member](Configuration &to, const QString &value) -> Problem {
                (to.*member).clear();
                for (const auto &part : value.split(u',', Qt::SkipEmptyParts))
                    to.*member << part.trimmed();
                return {};
            }};
}

Kind secrets(QStringList Configuration::*member)
{
    Kind kind = list(member, u"secrets, separated by commas"_s);
    kind.secret = true;
    return kind;
}

bool isWebUrl(const QString &value, const QStringList &schemes)
{
    const QUrl url(value, QUrl::StrictMode);
    return url.isValid() && schemes.contains(url.scheme()) && !url.host().isEmpty();
}

Kind url(QString Configuration::*member, const QStringList &schemes)
{
    const QString shape = schemes.join(u":// or "_s) + u":// URL"_s;
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                if (!value.isEmpty() && !isWebUrl(value, schemes))
                    return u"must be an "_s + shape;
                to.*member = value.endsWith(u'/') ? value.chopped(1) : value;
                return {};
            }};
}

Kind origins(QStringList Configuration::*member)
{
    const Kind plain = list(member, u"origins, separated by commas"_s);
    return {plain.shape, [=](Configuration &to, const QString &value) -> Problem {
                plain.read(to, value);
                for (const auto &origin : to.*member)
                    if (origin != "*"_L1
                        && (!isWebUrl(origin, {u"http"_s, u"https"_s}) || !QUrl(origin).path().isEmpty()))
                        return u"\"%1\" is not an origin such as https://app.example.com"_s.arg(origin);
                return {};
            }};
}

Kind proxies(QStringList Configuration::*member)
{
    const Kind plain = list(member, u"addresses and networks, separated by commas"_s);
    return {plain.shape, [=](Configuration &to, const QString &value) -> Problem {
                plain.read(to, value);
                const auto sound = http::TrustedProxies::parse(to.*member, to.forwardedHeader);
                return sound ? Problem() : sound.error();
            }};
}

Kind databaseUrl(QString Configuration::*member)
{
    return {u"postgres:// URL"_s,
            [member](Configuration &to, const QString &value) -> Problem {
                const auto target = db::Target::parse(value);
                if (!value.isEmpty() && !target)
                    return target.error();
                to.*member = value;
                return {};
            },
            true}; // it usually holds a password
}

Problem readListen(Configuration &to, const QString &value)
{
    const QString host = value.section(u':', 0, -2);
    bool ok = false;
    const uint port = value.section(u':', -1).toUInt(&ok);
    if (!ok || port > 65535 || !value.contains(u':'))
        return u"must be ADDRESS:PORT, for example 127.0.0.1:8080 or :8080 for all addresses"_s;
    const QString bare = host.startsWith(u'[') && host.endsWith(u']') ? host.mid(1, host.size() - 2) : host;
    const QString address = bare.isEmpty() ? u"0.0.0.0"_s : bare == "localhost"_L1 ? u"127.0.0.1"_s : bare;
    if (QHostAddress(address).isNull())
        return u"\"%1\" is not an IP address"_s.arg(bare);
    to.listenAddress = address;
    to.listenPort = quint16(port);
    return {};
}

Problem readDataDir(Configuration &to, const QString &value)
{
    to.dataDir = value.isEmpty() ? QString() : QDir::cleanPath(QDir(value).absolutePath());
    return {};
}

Kind secretList(QStringList Configuration::*member)
{
    Kind kind = list(member, u"keys, separated by commas"_s);
    kind.secret = true;
    return kind;
}

Kind regionMinutes(QStringList Configuration::*member)
{
    const QString shape = u"CC:MINUTES, separated by commas"_s;
    return {shape, [=](Configuration &to, const QString &value) -> Problem {
                static const QRegularExpression entry(u"\\A[A-Za-z]{2}:[1-9][0-9]{0,4}\\z"_s);
                QStringList entries;
                for (const auto &part : value.split(u',', Qt::SkipEmptyParts))
                    entries << part.trimmed();
                for (const QString &part : entries)
                    if (!entry.match(part).hasMatch())
                        return u"must be "_s + shape;
                to.*member = entries;
                return {};
            }};
}

Setting row(const char *name, const char *section, const Kind &kind, const char *fallback, const char *meaning)
{
    return {.name = QString::fromLatin1(name),
            .section = QString::fromLatin1(section),
            .shape = kind.shape,
            .fallback = QString::fromLatin1(fallback),
            .meaning = QString::fromUtf8(meaning),
            .secret = kind.secret,
            .read = kind.read};
}

// Known and checked, so that a file written for the whole product is no mistake; a notice says that it does nothing.
Setting later(Setting setting)
{
    setting.takesEffect = false;
    return setting;
}

QList<Setting> serverSettings()
{
    using C = Configuration;
    const char *section = "Server";
    return {
        row("COMPANION_LISTEN", section, {u"ADDRESS:PORT"_s, readListen}, "127.0.0.1:8080",
            "Where the HTTP server listens; :8080 is all IPv4 addresses, port 0 any free one."),
        row("COMPANION_DATA", section, {u"directory"_s, readDataDir}, "",
            "Everything this machine keeps: the embedded database, the first admin's key, companion.conf. By default "
            "/var/lib/companion for root, ~/.local/share/companion for others."),
        row("COMPANION_ENV", section,
            choice<C::Environment>(&C::environment,
                                   {{u"development"_s, C::Environment::Development},
                                    {u"production"_s, C::Environment::Production}}),
            "development",
            "production refuses the development age verification and the rehearsal model's test triggers."),
        row("COMPANION_PUBLIC_URL", section, url(&C::publicUrl, {u"https"_s, u"http"_s}), "",
            "How clients reach the server: the sandbox's checkout links begin with it. By default where it listens."),
        row("CORS_ORIGINS", section, origins(&C::corsOrigins), "",
            "The web pages that may call the API from a browser; * allows all."),
        row("COMPANION_TRUSTED_PROXIES", section, proxies(&C::trustedProxies), "",
            "The reverse proxies in front, for example 127.0.0.1,10.0.0.0/8: what they say of their client's address "
            "counts for the limits by address."),
        row("COMPANION_FORWARDED_HEADER", section,
            choice<http::TrustedProxies::Header>(&C::forwardedHeader,
                                                 {{u"x-forwarded-for"_s, http::TrustedProxies::Header::XForwardedFor},
                                                  {u"forwarded"_s, http::TrustedProxies::Header::Forwarded}}),
            "x-forwarded-for",
            "The one header in which they say it, which they must write or append to themselves; the other is not "
            "read."),
        row("COMPANION_METRICS_TOKEN", section, secret(&C::metricsToken), "",
            "The bearer token for /metrics; without one only loopback is answered, and no request that came by a "
            "proxy."),
        row("COMPANION_MODERATION_KEY", section, secret(&C::moderationKey, u"64 hex digits, or base64 of 32 bytes"_s),
            "",
            "Encrypts the texts of moderation records. Without one a key is made in DATA at the first start; several "
            "instances need the same."),
        row("COMPANION_MODERATION_OLD_KEYS", section, secretList(&C::moderationOldKeys), "",
            "Earlier keys, separated by commas: what they sealed still opens, and nothing is sealed with them."),
        row("COMPANION_DISCLOSURE_MINUTES", section, number(&C::disclosureEvery_min, 1, 10'080), "180",
            "How often a continuing session says again that this is an AI."),
        row("COMPANION_DISCLOSURE_UNVERIFIED_MINUTES", section, number(&C::disclosureUnverifiedEvery_min, 0, 10'080),
            "0", "The same for users whose age is not verified, where that is sooner; 0: no difference."),
        row("COMPANION_DISCLOSURE_BY_REGION", section, regionMinutes(&C::disclosureByRegion), "",
            "The same by country, for example CA:60,BR:120; takes the place of COMPANION_DISCLOSURE_MINUTES there."),
        row("COMPANION_LOG_LEVEL", section, oneOf(&C::logLevel, {u"debug"_s, u"info"_s, u"warning"_s, u"error"_s}),
            "info", "The least that is logged."),
        row("COMPANION_LOG_FORM", section, oneOf(&C::logForm, {u"auto"_s, u"json"_s, u"human"_s}), "auto",
            "auto is for people on a terminal and JSON lines elsewhere."),
        row("COMPANION_SHUTDOWN_GRACE_S", section, number(&C::shutdownGrace_s, 0, 600), "30",
            "How long running turns may take to end when the server stops."),
    };
}

QList<Setting> databaseSettings()
{
    using C = Configuration;
    const char *section = "Database";
    return {
        row("DATABASE_URL", section, databaseUrl(&C::databaseUrl), "",
            "PostgreSQL 15 or newer, as the owner of the tables. Without it the backend makes and runs a private "
            "cluster in DATA."),
        row("DATABASE_APP_URL", section, databaseUrl(&C::databaseAppUrl), "",
            "How to log in as companion_app, where it cannot follow from DATABASE_URL."),
        row("DATABASE_OPERATOR_URL", section, databaseUrl(&C::databaseOperatorUrl), "",
            "How to log in as companion_operator, likewise."),
        later(row("DATABASE_REPLICA_URL", section, databaseUrl(&C::databaseReplicaUrl), "",
                  "A read replica for analytics.")),
        row("COMPANION_DB_WORKERS", section, number(&C::databaseAppWorkers, 1, 256), "8",
            "Connections and threads for users' requests."),
        row("COMPANION_DB_OPERATOR_WORKERS", section, number(&C::databaseOperatorWorkers, 1, 256), "4",
            "Connections and threads for admin requests, jobs and webhooks."),
        row("COMPANION_DB_BULK_WORKERS", section, number(&C::databaseBulkWorkers, 1, 64), "2",
            "Connections and threads for slow work: exports, statistics."),
        row("COMPANION_DB_TURN_WORKERS", section, number(&C::databaseTurnWorkers, 2, 64), "2",
            "Connections and threads where turns of the chat begin and end together, half of them for each."),
        row("COMPANION_DB_QUEUE", section, number(&C::databaseQueue, 1, 1'000'000), "1000",
            "Requests that may wait for a worker of each kind; the next is answered 503."),
        later(row("REDIS_URL", section, url(&C::redisUrl, {u"redis"_s, u"rediss"_s}), "",
                  "Shares rate limits between instances; without it each counts for itself.")),
    };
}

QList<Setting> modelSettings()
{
    using C = Configuration;
    const char *section = "Models";
    const QStringList web{u"https"_s, u"http"_s};
    return {
        row("LLM_BASE_URL", section, url(&C::llmBaseUrl, web), "",
            "An OpenAI-compatible API, for example http://127.0.0.1:11434/v1. With a key and no URL it is xAI's, "
            "https://api.x.ai/v1; with neither the built-in rehearsal model answers."),
        row("LLM_API_KEY", section, secret(&C::llmApiKey), "", "The provider's key."),
        row("XAI_API_KEY", section, secret(&C::llmApiKey), "", "Another name of LLM_API_KEY, which goes first."),
        row("LLM_MODEL", section, text(&C::llmModel, u"model name"_s), "grok-4-fast-non-reasoning",
            "The model that answers."),
        row("LLM_FALLBACK_MODELS", section, list(&C::llmFallbackModels, u"model names, separated by commas"_s), "",
            "Tried in this order when the model fails before anything was delivered."),
        row("LLM_SPICY_MODEL", section, text(&C::llmSpicyModel, u"model name"_s), "",
            "For spicy mode; by default the same model."),
        row("LLM_CONNECTIONS", section, number(&C::llmConnections, 1, 60'000), "4096",
            "Requests to the provider at once, at most a fifth of the limit of open files; what comes beyond waits, "
            "the "
            "tiers' priorities first."),
        row("COMPANION_REHEARSAL_PACE", section, number(&C::rehearsalPace_ms, 0, 10'000), "30",
            "The rehearsal model's milliseconds from one token to the next; 0 answers at once."),
        row("EMBEDDING_BASE_URL", section, url(&C::embeddingBaseUrl, web), "",
            "An OpenAI-compatible embeddings API for long-term memory. With a key and no URL it is OpenAI's, "
            "https://api.openai.com/v1; with neither the built-in embedder is used, in process."),
        row("EMBEDDING_API_KEY", section, secret(&C::embeddingApiKey), "", "Its key."),
        row("EMBEDDING_MODEL", section, text(&C::embeddingModel, u"model name"_s), "text-embedding-3-small",
            "Its model. When it changes, memories are embedded anew in the background."),
        row("EMBEDDING_OLD_MODELS", section, list(&C::embeddingOldModels, u"model names, separated by commas"_s), "",
            "Models of the same API that were used before: their vectors are searched until the new ones are there."),
        row("VECTOR_STORE", section,
            choice<C::VectorStore>(&C::vectorStore,
                                   {{u"postgres"_s, C::VectorStore::Postgres},
                                    {u"chroma"_s, C::VectorStore::Chroma},
                                    {u"pinecone"_s, C::VectorStore::Pinecone}}),
            "postgres", "Where the vectors of memories are kept; the memories themselves are in the database always."),
        row("CHROMA_URL", section, url(&C::chromaUrl, web), "",
            "The ChromaDB server (v2 API), with /api/v2/tenants/…/databases/… where it is not the default database."),
        row("CHROMA_TOKEN", section, secret(&C::chromaToken), "", "Sent to it as a bearer token."),
        row("PINECONE_HOST", section, text(&C::pineconeHost, u"host name or URL"_s), "",
            "The Pinecone index's host; its metric must be cosine, its dimension the embedder's."),
        row("PINECONE_API_KEY", section, secret(&C::pineconeApiKey), "", "Its key."),
        row("MEMORY_COUNT", section, number(&C::memoryCount, 1, 50), "5",
            "Remembered messages that are brought into a prompt, beside facts."),
        row("MEMORY_TOKENS", section, number(&C::memoryTokens, 50, 16'000), "800",
            "What memories and facts may take of a prompt, in estimated tokens."),
        row("MEMORY_WAIT_MS", section, number(&C::memoryWait_ms, 10, 10'000), "300",
            "How long a turn waits for an embedder or a store elsewhere before it goes on without."),
        row("MEMORY_CACHE_MB", section, number(&C::memoryCache_mb, 1, 1'000'000), "256",
            "Memories that are kept in process, of the users who talked last."),
        row("OPENAI_MODERATION_KEY", section, secret(&C::openaiModerationKey), "",
            "Asks OpenAI's moderation about users' messages too, after the local stages."),
        row("OPENAI_MODERATION_URL", section, url(&C::openaiModerationUrl, web), "https://api.openai.com/v1",
            "Where /moderations is; another for a gateway or tests."),
        row("OPENAI_MODERATION_TIMEOUT_MS", section, number(&C::openaiModerationTimeout_ms, 50, 30'000), "800",
            "How long a turn waits for its answer."),
        row("OPENAI_MODERATION_FAIL_CLOSED", section,
            list(&C::openaiModerationFailClosed, u"category names, separated by commas"_s), "",
            "Categories that nothing may pass unseen for: while the service does not answer, messages are refused with "
            "503. Without one the local stages' word stands."),
    };
}

QList<Setting> partnerSettings()
{
    using C = Configuration;
    const char *section = "Sign-in, payments, monitoring";
    const QStringList web{u"https"_s, u"http"_s};
    return {
        row("FIREBASE_PROJECT_ID", section,
            matching(&C::firebaseProjectId, u"project id"_s, u"[A-Za-z0-9.:-]{1,128}"_s), "",
            "Accepts this project's Firebase ID tokens at sign-in."),
        row("FIREBASE_WEB_API_KEY", section, text(&C::firebaseWebApiKey, u"web API key"_s), "",
            "The project's web API key, which is no secret: clients are told it, and the console can then sign in with "
            "email and password."),
        row("FIREBASE_AUTH_EMULATOR_HOST", section,
            matching(&C::firebaseAuthEmulatorHost, u"HOST:PORT"_s, u"[A-Za-z0-9.-]+:[0-9]{1,5}"_s), "",
            "Firebase's Auth emulator: its unsigned tokens are accepted, and no others. Never in production."),
        row("FIREBASE_CERTIFICATES_URL", section, url(&C::firebaseCertificatesUrl, web),
            "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
            "Where the certificates are published that sign ID tokens; another for tests only."),
        row("STRIPE_SECRET_KEY", section, secret(&C::stripeSecretKey, u"sk_… or rk_…"_s), "",
            "Sells by Stripe, with this secret or restricted key. One with _live_ in it takes real money, and then "
            "webhooks of test mode are refused; with any other those of live mode."),
        row("STRIPE_WEBHOOK_SECRET", section, secrets(&C::stripeWebhookSecrets), "",
            "The webhook endpoint's signing secret (whsec_…); several, separated by commas, while it is rolled."),
        row("STRIPE_API_BASE", section, url(&C::stripeApiBase, web), "https://api.stripe.com",
            "Stripe's API; another for tests only."),
        row("STRIPE_RETURN_URL", section, url(&C::stripeReturnUrl, web), "",
            "Where customers come back to from Stripe's pages when the client named no address. By default "
            "COMPANION_PUBLIC_URL."),
        row("STRIPE_PORTAL_CONFIGURATION", section,
            matching(&C::stripePortalConfiguration, u"bpc_… id"_s, u"bpc_[A-Za-z0-9_]{1,200}"_s), "",
            "Which configuration of Stripe's customer portal is shown; by default the account's own."),
        row("STRIPE_AUTOMATIC_TAX", section, flag(&C::stripeAutomaticTax), "no",
            "Whether Stripe Tax computes and collects taxes at checkout."),
        later(row("SENTRY_DSN", section, secret(&C::sentryDsn, u"https:// URL"_s), "", "Reports errors to Sentry.")),
        later(row("OTLP_ENDPOINT", section, url(&C::otlpEndpoint, web), "", "Sends traces by OTLP over HTTP.")),
    };
}

QList<Setting> storeSettings()
{
    using C = Configuration;
    const char *section = "App stores";
    const QStringList web{u"https"_s, u"http"_s};
    return {
        row("APPLE_BUNDLE_ID", section, matching(&C::appleBundleId, u"bundle id"_s, u"[A-Za-z0-9.-]{1,155}"_s), "",
            "Sells by the App Store: the app's bundle id. Needs the other APPLE_ settings too."),
        row("APPLE_APP_ID", section, matching(&C::appleAppId, u"number"_s, u"[1-9][0-9]{0,17}"_s), "",
            "The app's Apple ID, the number in App Store Connect; needed in the production environment."),
        row("APPLE_ENVIRONMENT", section,
            choice<C::AppleStore>(&C::appleEnvironment,
                                  {{u"production"_s, C::AppleStore::Production},
                                   {u"sandbox"_s, C::AppleStore::Sandbox}}),
            "production",
            "Whose purchases count; the sandbox's cost nothing and are refused with "
            "COMPANION_ENV=production. Xcode's never count."),
        row("APPLE_ISSUER_ID", section, matching(&C::appleIssuerId, u"UUID"_s, u"[0-9A-Fa-f-]{36}"_s), "",
            "The issuer of the in-app purchase keys, from App Store Connect."),
        row("APPLE_KEY_ID", section, matching(&C::appleKeyId, u"key id"_s, u"[A-Za-z0-9]{1,40}"_s), "",
            "The in-app purchase key's id."),
        row("APPLE_PRIVATE_KEY", section, secret(&C::applePrivateKey, u"PEM text"_s), "",
            "The in-app purchase key itself, as downloaded; best given as APPLE_PRIVATE_KEY_FILE."),
        row("APPLE_ROOT_CERTIFICATES", section, text(&C::appleRootCertificates, u"file"_s), "",
            "The root certificates that the App Store's signatures must lead to: Apple Root CA - G3 from Apple's PKI "
            "page, PEM or DER."),
        row("APPLE_API_BASE", section, url(&C::appleApiBase, web), "",
            "The App Store Server API, for tests against another server; by default the environment's."),
        row("GOOGLE_PACKAGE_NAME", section,
            matching(&C::googlePackageName, u"package name"_s, u"[A-Za-z0-9_.]{1,255}"_s), "",
            "Sells by Google Play: the app's package name. Needs the next three settings too."),
        row("GOOGLE_SERVICE_ACCOUNT", section, secret(&C::googleServiceAccount, u"JSON text"_s), "",
            "The service account's key file, with the right to see and manage orders and financial data; best given "
            "as GOOGLE_SERVICE_ACCOUNT_FILE."),
        row("GOOGLE_PUSH_AUDIENCE", section, text(&C::googlePushAudience, u"text"_s), "",
            "The audience of the tokens with which Pub/Sub pushes, exactly as set there."),
        row("GOOGLE_PUSH_SERVICE_ACCOUNT", section,
            matching(&C::googlePushServiceAccount, u"service account's address"_s, u"[^@\\s]{1,100}@[^@\\s]{1,150}"_s),
            "", "The service account that Pub/Sub pushes as."),
        row("GOOGLE_API_BASE", section, url(&C::googleApiBase, web), "https://androidpublisher.googleapis.com",
            "The Google Play Developer API, for tests against another server."),
        row("GOOGLE_CERTIFICATES_URL", section, url(&C::googleCertificatesUrl, web),
            "https://www.googleapis.com/oauth2/v1/certs",
            "Where the certificates are published that sign pushes; another for tests only."),
    };
}

QList<Setting> moneySettings()
{
    using C = Configuration;
    const char *section = "Prices and limits";
    return {
        row("BILLING_RATE_PER_1K", section, decimal(&C::billingRatePer1k, u"0"_s, u"1000000"_s), "0.1",
            "Credits for 1000 tokens, before the character's multiplier and the tier's discount."),
        row("BILLING_MINIMUM_CHARGE", section, decimal(&C::billingMinimumCharge, u"0"_s, u"1000000"_s), "0.01",
            "The least that a reply costs, unless its character is free."),
        row("BILLING_HOLD_MARGIN", section, decimal(&C::billingHoldMargin, u"1"_s, u"10"_s), "1.15",
            "What the estimated prompt tokens are multiplied with for the hold."),
        row("BILLING_GENERATION_LIMIT_S", section, number(&C::billingGenerationLimit_s, 1, 3600), "300",
            "A reply that takes longer is ended."),
        row("BILLING_HOLD_GRACE_S", section, number(&C::billingHoldGrace_s, 1, 3600), "60",
            "A hold's deadline is the generation limit and this; after it the turn can only be voided."),
        row("BILLING_GRACE_DAYS", section, number(&C::billingGraceDays, 0, 60), "3",
            "How long a subscription whose renewal failed keeps its tier, where the provider has no grace of its own."),
        row("BILLING_RENEWAL_LEEWAY_S", section, number(&C::billingRenewalLeeway_s, 0, 86'400), "7200",
            "How long a subscription that renews by itself keeps its tier past its period: the webhook may be under "
            "way."),
        row("BILLING_SUSPEND_ON_DISPUTE", section, flag(&C::billingSuspendOnDispute), "yes",
            "Whether an account is suspended while a payment of it is disputed, or was lost to a dispute."),
        row("BILLING_WITHHOLD_IN_DEBT", section, flag(&C::billingWithholdInDebt), "yes",
            "Whether spicy mode and long-term memory are withheld from users who owe credits."),
        row("BILLING_SANDBOX_IN_PRODUCTION", section, flag(&C::sandboxInProduction), "no",
            "Whether the sandbox payment provider, which takes no money, sells in production too."),
        row("RATE_LIMIT_COMMON", section, number(&C::rateLimitCommon, 1, 1'000'000), "600",
            "Requests a minute on routes other than chat, by user, or by address where nobody is signed in. The tiers "
            "hold the rate of chat routes."),
        row("RATE_LIMIT_SIGN_IN", section, number(&C::rateLimitSignIn, 1, 1'000'000), "20",
            "Sign-in attempts a minute by address (IPv6: by /64)."),
    };
}

} // namespace

const QList<Setting> &configurationTable()
{
    static const QList<Setting> table =
        serverSettings() + databaseSettings() + modelSettings() + partnerSettings() + storeSettings() + moneySettings();
    return table;
}

} // namespace companion::app
