#include "app/Configuration.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

using namespace Qt::StringLiterals;
using namespace companion::app;

namespace {

QString contentOf(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

void write(const QString &path, const QString &text)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
    file.write(text.toUtf8());
}

QStringList told(const LoadedConfiguration &loaded)
{
    QStringList lines;
    for (const auto &problem : loaded.problems)
        lines << problem.toString();
    return lines;
}

QByteArray drained(BIO *bio)
{
    char *data = nullptr;
    const auto length = BIO_get_mem_data(bio, &data);
    const QByteArray text(data, length);
    BIO_free(bio);
    return text;
}

QByteArray pemOf(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    EVP_PKEY_free(key);
    return drained(bio);
}

// Of an authority that signed itself.
QByteArray rootPem()
{
    EVP_PKEY *key = EVP_EC_gen("P-384");
    X509 *root = X509_new();
    X509_set_version(root, 2);
    X509_gmtime_adj(X509_getm_notBefore(root), -60);
    X509_gmtime_adj(X509_getm_notAfter(root), 86'400);
    X509_set_pubkey(root, key);
    X509_NAME *name = X509_get_subject_name(root);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>("Root"), -1, -1, 0);
    X509_set_issuer_name(root, name);
    X509_EXTENSION *authority = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(root, authority, -1);
    X509_EXTENSION_free(authority);
    X509_sign(root, key, EVP_sha384());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, root);
    X509_free(root);
    EVP_PKEY_free(key);
    return drained(bio);
}

} // namespace

class TestConfiguration : public QObject
{
    Q_OBJECT
private:
    LoadedConfiguration load(const QMap<QString, QString> &environment, const QMap<QString, QString> &commandLine = {})
    {
        QProcessEnvironment all;
        all.insert(u"COMPANION_DATA"_s, m_data->path());
        for (const auto &[name, value] : environment.asKeyValueRange())
            all.insert(name, value);
        return loadConfiguration(all, commandLine);
    }
    std::unique_ptr<QTemporaryDir> m_data;

private Q_SLOTS:
    void init() { m_data = std::make_unique<QTemporaryDir>(); }

    void the_example_and_the_page_say_what_the_table_says()
    {
        const QList<std::pair<QString, QString>> made{{QStringLiteral(SOURCE_DIR "/.env.example"), envExampleText()},
                                                      {QStringLiteral(SOURCE_DIR "/docs/configuration.md"),
                                                       configurationPageText()}};
        for (const auto &[path, text] : made) {
            if (qEnvironmentVariableIsSet("UPDATE_DOCS"))
                write(path, text);
            QVERIFY2(contentOf(path) == text, qPrintable(path + u" is outdated: run this test with UPDATE_DOCS=1"_s));
        }
    }

    void every_name_of_the_contract_is_in_the_table()
    {
        QStringList names;
        for (const auto &setting : configurationTable())
            names << setting.name;
        for (const char *name : {"DATABASE_URL",
                                 "DATABASE_REPLICA_URL",
                                 "REDIS_URL",
                                 "COMPANION_LISTEN",
                                 "COMPANION_DATA",
                                 "COMPANION_ENV",
                                 "LLM_BASE_URL",
                                 "LLM_API_KEY",
                                 "XAI_API_KEY",
                                 "LLM_MODEL",
                                 "LLM_FALLBACK_MODELS",
                                 "LLM_SPICY_MODEL",
                                 "EMBEDDING_BASE_URL",
                                 "EMBEDDING_API_KEY",
                                 "EMBEDDING_MODEL",
                                 "VECTOR_STORE",
                                 "CHROMA_URL",
                                 "PINECONE_HOST",
                                 "PINECONE_API_KEY",
                                 "OPENAI_MODERATION_KEY",
                                 "FIREBASE_PROJECT_ID",
                                 "FIREBASE_WEB_API_KEY",
                                 "FIREBASE_AUTH_EMULATOR_HOST",
                                 "FIREBASE_CERTIFICATES_URL",
                                 "STRIPE_SECRET_KEY",
                                 "STRIPE_WEBHOOK_SECRET",
                                 "STRIPE_API_BASE",
                                 "SENTRY_DSN",
                                 "OTLP_ENDPOINT",
                                 "CORS_ORIGINS",
                                 "COMPANION_REHEARSAL_PACE"})
            QVERIFY2(names.contains(QLatin1StringView(name)), name);
        QCOMPARE(QSet<QString>(names.begin(), names.end()).size(), names.size());
    }

    void the_defaults_are_good_and_the_rehearsal_model_answers()
    {
        const auto loaded = load({});
        QCOMPARE(told(loaded), QStringList());
        const auto &all = loaded.configuration;
        QCOMPARE(all.listenAddress, u"127.0.0.1"_s);
        QCOMPARE(all.listenPort, 8080);
        QCOMPARE(all.dataDir, m_data->path());
        QCOMPARE(all.billingRatePer1k.toString(), u"0.1000"_s);
        QCOMPARE(all.billingMinimumCharge.toString(), u"0.0100"_s);
        QCOMPARE(all.billingHoldMargin.toString(), u"1.1500"_s);
        QCOMPARE(all.billingGenerationLimit_s + all.billingHoldGrace_s, 360);
        QVERIFY(all.usesEmbeddedDatabase() && all.usesRehearsalModel() && !all.isProduction());
        QVERIFY(loaded.notices.join(u' ').contains(u"rehearsal"_s));
    }

    void the_command_line_goes_before_the_environment_and_that_before_the_file()
    {
        write(m_data->filePath(u"companion.conf"_s),
              u"# ours\nCOMPANION_LISTEN=\"10.0.0.1:1\"\nexport LLM_MODEL = from-file \n\nRATE_LIMIT_COMMON=7\n"_s);
        const auto loaded = load({{u"COMPANION_LISTEN"_s, u"10.0.0.2:2"_s}, {u"RATE_LIMIT_COMMON"_s, u"8"_s}},
                                 {{u"COMPANION_LISTEN"_s, u":0"_s}});
        QCOMPARE(told(loaded), QStringList());
        QCOMPARE(loaded.file, m_data->filePath(u"companion.conf"_s));
        QCOMPARE(loaded.configuration.listenAddress, u"0.0.0.0"_s);
        QCOMPARE(loaded.configuration.listenPort, 0);
        QCOMPARE(loaded.configuration.rateLimitCommon, 8);
        QCOMPARE(loaded.configuration.llmModel, u"from-file"_s);
    }

    void an_empty_value_counts_as_not_given()
    {
        QCOMPARE(load({{u"COMPANION_LISTEN"_s, u""_s}}).configuration.listenPort, 8080);
    }

    void a_secret_may_stand_in_a_file()
    {
        write(m_data->filePath(u"key"_s), u"s3cret\n"_s);
        const auto loaded = load({{u"LLM_API_KEY_FILE"_s, m_data->filePath(u"key"_s)}});
        QCOMPARE(told(loaded), QStringList());
        QCOMPARE(loaded.configuration.llmApiKey, u"s3cret"_s);
        QCOMPARE(loaded.configuration.llmBaseUrl, u"https://api.x.ai/v1"_s);
        QVERIFY(!loaded.configuration.usesRehearsalModel());
    }

    void xai_api_key_is_another_name_and_goes_second()
    {
        QCOMPARE(load({{u"XAI_API_KEY"_s, u"x"_s}}).configuration.llmApiKey, u"x"_s);
        QCOMPARE(load({{u"XAI_API_KEY"_s, u"x"_s}, {u"LLM_API_KEY"_s, u"l"_s}}).configuration.llmApiKey, u"l"_s);
    }

    void every_mistake_is_named_at_once_with_its_place()
    {
        write(m_data->filePath(u"my.conf"_s),
              u"COMPANION_DB_WORKERS=many\nthis is no setting\nLLM_MODLE=x\nLLM_MODEL=a\nLLM_MODEL=b\n"_s);
        const QString file = m_data->filePath(u"my.conf"_s);
        const auto loaded = load({{u"COMPANION_CONFIG"_s, file},
                                  {u"COMPANION_LISTEN"_s, u"8080"_s},
                                  {u"COMPANION_ENV"_s, u"prod"_s},
                                  {u"COMPANION_LISTN"_s, u"1"_s},
                                  {u"BILLING_RATE"_s, u"1"_s},
                                  {u"BILLING_HOLD_MARGIN"_s, u"0.5"_s},
                                  {u"BILLING_RATE_PER_1K"_s, u"0.12345"_s},
                                  {u"RATE_LIMIT_COMMON"_s, u"0"_s},
                                  {u"LLM_BASE_URL"_s, u"localhost:11434"_s},
                                  {u"LLM_API_KEY_FILE"_s, u"/nowhere/key"_s},
                                  {u"DATABASE_URL"_s, u"mysql://root:hunter2@db/x"_s},
                                  {u"CORS_ORIGINS"_s, u"https://ok.example, example.com/page"_s},
                                  {u"UNRELATED"_s, u"fine"_s}});
        const QString all = told(loaded).join(u'\n');
        for (const char *part :
             {":1): must be a whole number 1 to 256", "(line 2)", "LLM_MODLE", ":5): is given twice in this file",
              "COMPANION_LISTEN (environment): must be ADDRESS:PORT", "COMPANION_ENV (environment): must be one of",
              "COMPANION_LISTN (environment): there is no such setting",
              "BILLING_RATE (environment): there is no such setting", "BILLING_HOLD_MARGIN", "BILLING_RATE_PER_1K",
              "RATE_LIMIT_COMMON", "LLM_BASE_URL (environment): must be an https:// or http:// URL",
              "LLM_API_KEY_FILE (environment): /nowhere/key cannot be read", "DATABASE_URL", "example.com/page"})
            QVERIFY2(all.contains(QLatin1StringView(part)),
                     qPrintable(all + u"\n does not name "_s + QLatin1StringView(part)));
        QCOMPARE(loaded.problems.size(), 15);
        QVERIFY2(!all.contains(u"hunter2"_s), "a secret is never repeated");
    }

    void app_stores_are_set_wholly_or_not_at_all()
    {
        const auto ec = pemOf(EVP_EC_gen("P-256")), rsa = pemOf(EVP_RSA_gen(2048));
        write(m_data->filePath(u"root.pem"_s), QString::fromLatin1(rootPem()));
        const QMap<QString, QString> apple{{u"APPLE_BUNDLE_ID"_s, u"com.example.companion"_s},
                                           {u"APPLE_APP_ID"_s, u"1234567890"_s},
                                           {u"APPLE_ISSUER_ID"_s, u"57246542-96fe-1a63-e053-0824d011072a"_s},
                                           {u"APPLE_KEY_ID"_s, u"2X9R4HXF34"_s},
                                           {u"APPLE_PRIVATE_KEY"_s, QString::fromLatin1(ec)},
                                           {u"APPLE_ROOT_CERTIFICATES"_s, m_data->filePath(u"root.pem"_s)}};
        const QJsonObject account{{u"type"_s, u"service_account"_s},
                                  {u"client_email"_s, u"play@demo.iam.gserviceaccount.com"_s},
                                  {u"private_key"_s, QString::fromLatin1(rsa)},
                                  {u"token_uri"_s, u"https://oauth2.googleapis.com/token"_s}};
        const QMap<QString, QString> google{{u"GOOGLE_PACKAGE_NAME"_s, u"com.example.companion"_s},
                                            {u"GOOGLE_SERVICE_ACCOUNT"_s,
                                             QString::fromUtf8(QJsonDocument(account).toJson())},
                                            {u"GOOGLE_PUSH_AUDIENCE"_s, u"https://companion.example.com"_s},
                                            {u"GOOGLE_PUSH_SERVICE_ACCOUNT"_s, u"push@demo.iam.gserviceaccount.com"_s}};
        for (const auto &all : {apple, google}) {
            QCOMPARE(told(load(all)), QStringList());
            for (const QString &name : all.keys()) { // each of them missing
                auto lacking = all;
                lacking.remove(name);
                QVERIFY2(!load(lacking).problems.isEmpty(), qPrintable(name));
            }
        }
        const auto wrong = [&](QMap<QString, QString> all, const char *name, const QString &value,
                               bool production = false) {
            all.insert(QString::fromLatin1(name), value);
            if (production)
                all.insert(u"COMPANION_ENV"_s, u"production"_s);
            const auto problems = told(load(all));
            return problems.size() == 1 && problems.first().startsWith(QString::fromLatin1(name))
                && !problems.first().contains(u"PRIVATE KEY"_s);
        };
        QVERIFY(wrong(apple, "APPLE_PRIVATE_KEY", QString::fromLatin1(rsa)));
        QVERIFY(wrong(apple, "APPLE_ROOT_CERTIFICATES", u"/nowhere/root.pem"_s));
        QVERIFY(wrong(apple, "APPLE_ROOT_CERTIFICATES", QStringLiteral(SOURCE_DIR "/README.md")));
        QVERIFY(wrong(apple, "APPLE_ENVIRONMENT", u"xcode"_s));
        QVERIFY(wrong(apple, "APPLE_ENVIRONMENT", u"sandbox"_s, true));
        QVERIFY(wrong(apple, "APPLE_API_BASE", u"http://127.0.0.1:1"_s, true));
        QVERIFY(wrong(google, "GOOGLE_SERVICE_ACCOUNT", u"{}"_s));
        QVERIFY(wrong(google, "GOOGLE_API_BASE", u"http://127.0.0.1:1"_s, true));
        QVERIFY(wrong(google, "GOOGLE_CERTIFICATES_URL", u"http://127.0.0.1:1"_s, true));
    }

    void what_goes_together_is_checked_together()
    {
        QCOMPARE(load({{u"DATABASE_APP_URL"_s, u"postgres://companion_app@db/x"_s}}).problems.size(), 1);
        const QMap<QString, QString> production{{u"COMPANION_ENV"_s, u"production"_s},
                                                {u"FIREBASE_PROJECT_ID"_s, u"demo-companion"_s}};
        const auto with = [](QMap<QString, QString> settings, const QString &name, const QString &value) {
            settings.insert(name, value);
            return settings;
        };
        QCOMPARE(load(production).problems.size(), 0);
        QCOMPARE(load(with(production, u"FIREBASE_AUTH_EMULATOR_HOST"_s, u"127.0.0.1:9099"_s)).problems.size(), 1);
        QCOMPARE(load(with(production, u"FIREBASE_CERTIFICATES_URL"_s, u"http://127.0.0.1/c"_s)).problems.size(), 1);
        QCOMPARE(load({{u"FIREBASE_AUTH_EMULATOR_HOST"_s, u"127.0.0.1:9099"_s}}).problems.size(), 1); // of no project
        QCOMPARE(load({{u"FIREBASE_PROJECT_ID"_s, u"a/b"_s}}).problems.size(), 1);
        const auto emulated = load(
            {{u"FIREBASE_PROJECT_ID"_s, u"demo-companion"_s}, {u"FIREBASE_AUTH_EMULATOR_HOST"_s, u"127.0.0.1:9099"_s}});
        QCOMPARE(told(emulated), QStringList());
        QVERIFY(emulated.notices.join(u' ').contains(u"sign in as anybody"_s));
        const QMap<QString, QString> stripe{{u"STRIPE_SECRET_KEY"_s, u"sk_test_123"_s},
                                            {u"STRIPE_WEBHOOK_SECRET"_s, u"whsec_a, whsec_b"_s}};
        QCOMPARE(told(load(stripe)), QStringList());
        QCOMPARE(load(stripe).configuration.stripeWebhookSecrets, (QStringList{u"whsec_a"_s, u"whsec_b"_s}));
        QCOMPARE(load({{u"STRIPE_SECRET_KEY"_s, u"sk_test_123"_s}}).problems.size(), 1);
        QCOMPARE(load({{u"STRIPE_WEBHOOK_SECRET"_s, u"whsec_a"_s}}).problems.size(), 1);
        QCOMPARE(load(with(stripe, u"STRIPE_SECRET_KEY"_s, u"pk_test_123"_s)).problems.size(), 1);
        QCOMPARE(load(with(stripe, u"STRIPE_PORTAL_CONFIGURATION"_s, u"portal"_s)).problems.size(), 1);
        const auto inProduction = with(stripe, u"COMPANION_ENV"_s, u"production"_s);
        QVERIFY(load(inProduction).notices.join(u' ').contains(u"no live key"_s));
        QCOMPARE(load(with(inProduction, u"STRIPE_API_BASE"_s, u"http://10.0.0.1:1"_s)).problems.size(), 1);
        write(m_data->filePath(u"k"_s), u"a"_s);
        QCOMPARE(load({{u"LLM_API_KEY_FILE"_s, m_data->filePath(u"k"_s)}, {u"LLM_API_KEY"_s, u"b"_s}}).problems.size(),
                 1);
    }

    void what_this_version_does_not_use_is_said()
    {
        const auto loaded = load({{u"REDIS_URL"_s, u"redis://localhost"_s}});
        QCOMPARE(told(loaded), QStringList());
        QVERIFY(loaded.notices.join(u' ').contains(u"REDIS_URL"_s));
    }
};

QTEST_GUILESS_MAIN(TestConfiguration)
#include "tst_Configuration.moc"
