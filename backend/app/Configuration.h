#pragma once

#include "common/money/Credits.h"
#include "http/ClientAddress.h"

#include <QMap>
#include <QProcessEnvironment>
#include <QString>
#include <QStringList>
#include <functional>
#include <optional>

namespace companion::app {

// Everything that can be configured, with its type. The defaults are in the table (ConfigurationTable.cpp), which also
// makes .env.example and docs/configuration.md; each member's comment names its variable.
struct Configuration
{
    enum class Environment { Development, Production };
    enum class AppleStore { Production, Sandbox };
    enum class VectorStore { Postgres, Chroma, Pinecone };

    QString listenAddress;                              // COMPANION_LISTEN: an IP address
    quint16 listenPort = 0;                             //   … and its port, 0 = any free one
    QString dataDir;                                    // COMPANION_DATA, absolute
    Environment environment = Environment::Development; // COMPANION_ENV
    QStringList corsOrigins;                            // CORS_ORIGINS
    QStringList trustedProxies;                         // COMPANION_TRUSTED_PROXIES: addresses and networks
    http::TrustedProxies::Header forwardedHeader =      // COMPANION_FORWARDED_HEADER: where they name their client
        http::TrustedProxies::Header::XForwardedFor;
    QString metricsToken;                               // COMPANION_METRICS_TOKEN; empty: loopback only
    QStringList moderationOldKeys; // COMPANION_MODERATION_OLD_KEYS: open what they sealed
    int disclosureEvery_min = 180;         // COMPANION_DISCLOSURE_MINUTES
    int disclosureUnverifiedEvery_min = 0; // COMPANION_DISCLOSURE_UNVERIFIED_MINUTES; 0: the same
    QStringList disclosureByRegion;        // COMPANION_DISCLOSURE_BY_REGION: "CA:60"
    QString moderationKey;                              // COMPANION_MODERATION_KEY; empty: kept in DATA
    QString logLevel;                                   // COMPANION_LOG_LEVEL: debug, info, warning, error
    QString logForm;                                    // COMPANION_LOG_FORM: auto, json, human
    int shutdownGrace_s = 0;                            // COMPANION_SHUTDOWN_GRACE_S

    QString databaseUrl;         // DATABASE_URL; empty: the embedded cluster
    QString databaseAppUrl;      // DATABASE_APP_URL
    QString databaseOperatorUrl; // DATABASE_OPERATOR_URL
    QString databaseReplicaUrl;  // DATABASE_REPLICA_URL
    int databaseAppWorkers = 0;      // COMPANION_DB_WORKERS
    int databaseOperatorWorkers = 0; // COMPANION_DB_OPERATOR_WORKERS
    int databaseBulkWorkers = 0;     // COMPANION_DB_BULK_WORKERS
    int databaseTurnWorkers = 0;     // COMPANION_DB_TURN_WORKERS
    int databaseQueue = 0;           // COMPANION_DB_QUEUE
    QString redisUrl;                // REDIS_URL

    QString llmBaseUrl;            // LLM_BASE_URL; with a key but no URL: xAI's
    QString llmApiKey;             // LLM_API_KEY or XAI_API_KEY
    QString llmModel;              // LLM_MODEL
    QStringList llmFallbackModels; // LLM_FALLBACK_MODELS
    QString llmSpicyModel;         // LLM_SPICY_MODEL; empty: the same model
    int llmConnections = 0;        // LLM_CONNECTIONS
    int rehearsalPace_ms = 0;      // COMPANION_REHEARSAL_PACE
    QString embeddingBaseUrl;      // EMBEDDING_BASE_URL
    QString embeddingApiKey;       // EMBEDDING_API_KEY
    QString embeddingModel;        // EMBEDDING_MODEL
    QStringList embeddingOldModels; // EMBEDDING_OLD_MODELS
    VectorStore vectorStore = VectorStore::Postgres; // VECTOR_STORE
    QString chromaUrl;                               // CHROMA_URL
    QString chromaToken;                             // CHROMA_TOKEN
    QString pineconeHost;                            // PINECONE_HOST
    QString pineconeApiKey;                          // PINECONE_API_KEY
    int memoryCount = 0;     // MEMORY_COUNT, turns brought into a prompt
    int memoryTokens = 0;    // MEMORY_TOKENS, of the prompt
    int memoryWait_ms = 0;   // MEMORY_WAIT_MS
    int memoryCache_mb = 0;  // MEMORY_CACHE_MB
    QString openaiModerationKey;                     // OPENAI_MODERATION_KEY; empty: the local stages alone
    QString openaiModerationUrl;                     // OPENAI_MODERATION_URL
    int openaiModerationTimeout_ms = 800;            // OPENAI_MODERATION_TIMEOUT_MS
    QStringList openaiModerationFailClosed;          // OPENAI_MODERATION_FAIL_CLOSED

    QString firebaseProjectId;        // FIREBASE_PROJECT_ID
    QString firebaseWebApiKey;        // FIREBASE_WEB_API_KEY, told to clients
    QString firebaseAuthEmulatorHost; // FIREBASE_AUTH_EMULATOR_HOST
    QString firebaseCertificatesUrl;  // FIREBASE_CERTIFICATES_URL
    QString stripeSecretKey;          // STRIPE_SECRET_KEY
    QStringList stripeWebhookSecrets; // STRIPE_WEBHOOK_SECRET
    QString stripeApiBase;            // STRIPE_API_BASE
    QString appleBundleId;            // APPLE_BUNDLE_ID; empty: nothing is sold by the App Store
    QString appleAppId;               // APPLE_APP_ID
    AppleStore appleEnvironment = AppleStore::Production; // APPLE_ENVIRONMENT
    QString appleIssuerId;            // APPLE_ISSUER_ID
    QString appleKeyId;               // APPLE_KEY_ID
    QString applePrivateKey;          // APPLE_PRIVATE_KEY, PEM
    QString appleRootCertificates;    // APPLE_ROOT_CERTIFICATES, a file
    QString appleApiBase;             // APPLE_API_BASE; empty: the environment's
    QString googlePackageName;        // GOOGLE_PACKAGE_NAME; empty: nothing is sold by Google Play
    QString googleServiceAccount;     // GOOGLE_SERVICE_ACCOUNT, the key file's JSON
    QString googlePushAudience;       // GOOGLE_PUSH_AUDIENCE
    QString googlePushServiceAccount; // GOOGLE_PUSH_SERVICE_ACCOUNT
    QString googleApiBase;            // GOOGLE_API_BASE
    QString googleCertificatesUrl;    // GOOGLE_CERTIFICATES_URL
    QString stripeReturnUrl;          // STRIPE_RETURN_URL; empty: publicUrl, or where it listens
    QString stripePortalConfiguration; // STRIPE_PORTAL_CONFIGURATION
    bool stripeAutomaticTax = false;  // STRIPE_AUTOMATIC_TAX
    QString sentryDsn;                // SENTRY_DSN
    QString otlpEndpoint;             // OTLP_ENDPOINT

    Credits billingRatePer1k;        // BILLING_RATE_PER_1K, credits for 1000 tokens
    Credits billingMinimumCharge;    // BILLING_MINIMUM_CHARGE
    Factor billingHoldMargin;        // BILLING_HOLD_MARGIN, on the estimated prompt tokens
    int billingGenerationLimit_s = 0; // BILLING_GENERATION_LIMIT_S
    int billingHoldGrace_s = 0;       // BILLING_HOLD_GRACE_S: a hold's deadline is the limit and this

    int billingGraceDays = 0;        // BILLING_GRACE_DAYS
    int billingRenewalLeeway_s = 0;  // BILLING_RENEWAL_LEEWAY_S
    bool billingSuspendOnDispute = true; // BILLING_SUSPEND_ON_DISPUTE
    bool billingWithholdInDebt = true;   // BILLING_WITHHOLD_IN_DEBT
    bool sandboxInProduction = false;    // BILLING_SANDBOX_IN_PRODUCTION
    QString publicUrl;                   // COMPANION_PUBLIC_URL; empty: where it listens

    int rateLimitCommon = 0; // RATE_LIMIT_COMMON, requests a minute of one user or address
    int rateLimitSignIn = 0; // RATE_LIMIT_SIGN_IN, requests a minute of one address

    bool isProduction() const { return environment == Environment::Production; }
    bool usesSandboxPayments() const { return !isProduction() || sandboxInProduction; }
    bool usesStripe() const { return !stripeSecretKey.isEmpty(); }
    bool usesEmbeddedDatabase() const { return databaseUrl.isEmpty(); }
    bool usesRehearsalModel() const { return llmBaseUrl.isEmpty(); }
    bool usesLocalEmbedder() const { return embeddingBaseUrl.isEmpty(); }
};

// One wrong setting: which, where it stands, and what would be right. Never holds a secret's value.
struct ConfigurationProblem
{
    QString variable;
    QString source; // "environment", "command line", "/path/companion.conf:12"
    QString message;
    QString toString() const { return QStringLiteral("%1 (%2): %3").arg(variable, source, message); }
};

struct LoadedConfiguration
{
    Configuration configuration;
    QString file; // the file that was read, if any
    QList<ConfigurationProblem> problems; // every one; with any the program does not start
    QStringList notices;                  // worth knowing, nothing wrong
};

// The command line's settings (COMPANION_DATA, COMPANION_LISTEN, …) go before the environment's, these before the
// file's, these before the defaults. The file is COMPANION_CONFIG, else DATA/companion.conf where there is one: lines
// KEY=VALUE, `#` begins a comment line. Any NAME may be given as NAME_FILE: the value is read from that file.
LoadedConfiguration loadConfiguration(const QProcessEnvironment &environment,
                                      const QMap<QString, QString> &commandLine = {});

// One row of the table.
struct Setting
{
    QString name;
    QString section;
    QString shape;    // "number 1 to 64", "postgres:// URL", …
    QString fallback; // the default, as it would be written
    QString meaning;  // one sentence for the documents
    bool secret = false;
    bool takesEffect = true; // false: accepted and checked, but this version does nothing with it
    // Takes a value over; says what is wrong with it, if anything.
    std::function<std::optional<QString>(Configuration &, const QString &)> read;
};
const QList<Setting> &configurationTable();

QString envExampleText();
QString configurationPageText();

} // namespace companion::app
