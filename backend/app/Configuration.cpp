#include "app/Configuration.h"
#include "app/ConfigurationStores.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace companion::app {

namespace {

const QString configVariable = u"COMPANION_CONFIG"_s; // not in the table: it says where the rest is

const QString environmentSource = u"environment"_s;

struct Given
{
    QString value;
    QString source;
};
using Settings = QMap<QString, Given>;

const Setting *settingNamed(const QString &name)
{
    const auto &table = configurationTable();
    const auto found = std::ranges::find(table, name, &Setting::name);
    return found == table.end() ? nullptr : &*found;
}

bool isOurs(const QString &name)
{
    return name.startsWith("COMPANION_"_L1) || name.startsWith("BILLING_"_L1) || name.startsWith("RATE_LIMIT_"_L1);
}

QString defaultDataDir(const QProcessEnvironment &environment)
{
    if (geteuid() == 0)
        return u"/var/lib/companion"_s;
    const QString share = environment.value(u"XDG_DATA_HOME"_s);
    return (share.isEmpty() ? environment.value(u"HOME"_s, QDir::homePath()) + u"/.local/share"_s : share)
        + u"/companion"_s;
}

QString unquoted(const QString &value)
{
    const bool quoted =
        value.size() >= 2 && (value.front() == u'"' || value.front() == u'\'') && value.back() == value.front();
    return quoted ? value.mid(1, value.size() - 2) : value;
}

// One loading: gathers what is given and every mistake on the way.
class Loading
{
public:
    Loading(const QProcessEnvironment &environment, const QMap<QString, QString> &commandLine)
        : m_environment(environment)
    {
        for (const auto &name : environment.keys())
            offer(name, {environment.value(name), environmentSource}, false);
        for (const auto &[name, value] : commandLine.asKeyValueRange())
            m_given.insert(name, {value, u"command line"_s});
    }

    LoadedConfiguration load()
    {
        readFile();
        for (const auto &setting : configurationTable())
            apply(setting);
        if (m_loaded.configuration.dataDir.isEmpty())
            m_loaded.configuration.dataDir = defaultDataDir(m_environment);
        complete();
        return m_loaded;
    }

private:
    void complain(const QString &name, const QString &source, const QString &message)
    {
        m_loaded.problems << ConfigurationProblem{name, source, message};
    }

    // Takes a setting or its _FILE form in, where it is one.
    void offer(const QString &name, const Given &given, bool fromFile)
    {
        if (given.value.isEmpty() || (name == configVariable && !fromFile))
            return;
        const QString base = name.endsWith("_FILE"_L1) ? name.chopped(5) : QString();
        if (settingNamed(name))
            m_given.insert(name, given);
        else if (settingNamed(base))
            offerFromFile(base, name, given);
        else if (fromFile || isOurs(name))
            complain(name, given.source, u"there is no such setting"_s);
    }

    void offerFromFile(const QString &base, const QString &name, const Given &given)
    {
        if (given.source == environmentSource && !m_environment.value(base).isEmpty())
            return complain(name, given.source, u"%1 is given too; give one of them"_s.arg(base));
        QFile file(given.value);
        if (!file.open(QIODevice::ReadOnly))
            return complain(name, given.source, u"%1 cannot be read: %2"_s.arg(given.value, file.errorString()));
        QByteArray text = file.read(64 * 1024);
        while (text.endsWith('\n') || text.endsWith('\r'))
            text.chop(1);
        m_given.insert(base, {QString::fromUtf8(text), given.source});
    }

    void readFile()
    {
        const QString named = m_environment.value(configVariable);
        const QString data =
            m_given.contains(u"COMPANION_DATA"_s) ? m_given[u"COMPANION_DATA"_s].value : defaultDataDir(m_environment);
        const QString path = named.isEmpty() ? data + u"/companion.conf"_s : named;
        if (named.isEmpty() && !QFileInfo::exists(path))
            return;
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly))
            return complain(configVariable, environmentSource,
                            u"%1 cannot be read: %2"_s.arg(path, file.errorString()));
        m_loaded.file = path;
        const Settings before = std::exchange(m_given, {});
        readLines(path, QString::fromUtf8(file.readAll()));
        if (named.isEmpty() && m_given.contains(u"COMPANION_DATA"_s))
            complain(u"COMPANION_DATA"_s, m_given.take(u"COMPANION_DATA"_s).source,
                     u"a file inside DATA cannot say where DATA is; use the environment or --data"_s);
        m_given.insert(before);
    }

    void readLines(const QString &path, const QString &text)
    {
        static const QRegularExpression line(u"^\\s*(?:export\\s+)?([A-Za-z_][A-Za-z0-9_]*)\\s*=\\s*(.*?)\\s*$"_s);
        QStringList seen;
        int number = 0;
        for (const auto &written : text.split(u'\n')) {
            const QString source = path + u':' + QString::number(++number);
            if (written.trimmed().isEmpty() || written.trimmed().startsWith(u'#'))
                continue;
            const auto match = line.match(written);
            const QString name = match.captured(1);
            if (!match.hasMatch())
                complain(u"(line %1)"_s.arg(number), source, u"must be KEY=VALUE or begin with #"_s);
            else if (seen.contains(name))
                complain(name, source, u"is given twice in this file"_s);
            else if (seen.contains(name.endsWith("_FILE"_L1) ? name.chopped(5) : name + u"_FILE"_s))
                complain(name, source, u"is given both as a value and as a file"_s);
            else
                offer(name, {unquoted(match.captured(2)), source}, true);
            seen << name;
        }
    }

    void apply(const Setting &setting)
    {
        Configuration &to = m_loaded.configuration;
        if (!setting.fallback.isEmpty())
            setting.read(to, setting.fallback);
        if (!m_given.contains(setting.name) || (setting.name == "XAI_API_KEY"_L1 && m_given.contains(u"LLM_API_KEY"_s)))
            return;
        const Given &given = m_given[setting.name];
        if (const auto problem = setting.read(to, given.value))
            complain(setting.name, given.source, *problem);
        else if (!setting.takesEffect)
            m_loaded.notices << u"%1 is set, but this version does nothing with it yet."_s.arg(setting.name);
    }

    // What depends on more than one setting.
    void complete()
    {
        Configuration &all = m_loaded.configuration;
        if (all.llmBaseUrl.isEmpty() && !all.llmApiKey.isEmpty())
            all.llmBaseUrl = u"https://api.x.ai/v1"_s;
        if (all.usesRehearsalModel())
            m_loaded.notices << u"No LLM is configured: the built-in rehearsal model answers."_s;
        completeMemory(all);
        completeFirebase(all);
        completeStores(all);
        completeStripe(all);
        if (all.databaseUrl.isEmpty())
            for (const auto &name : {u"DATABASE_APP_URL"_s, u"DATABASE_OPERATOR_URL"_s})
                if (m_given.contains(name))
                    complain(name, sourceOf(name), u"needs DATABASE_URL too"_s);
        if (all.isProduction() && all.corsOrigins.contains(u"*"_s))
            m_loaded.notices << u"CORS_ORIGINS=* lets every web page call this API."_s;
    }

    void completeMemory(Configuration &all)
    {
        using Store = Configuration::VectorStore;
        if (all.embeddingBaseUrl.isEmpty() && !all.embeddingApiKey.isEmpty())
            all.embeddingBaseUrl = u"https://api.openai.com/v1"_s;
        if (all.embeddingBaseUrl.isEmpty() && m_given.contains(u"EMBEDDING_MODEL"_s))
            complain(u"EMBEDDING_MODEL"_s, sourceOf(u"EMBEDDING_MODEL"_s), u"needs EMBEDDING_BASE_URL or a key"_s);
        if (all.vectorStore == Store::Chroma && all.chromaUrl.isEmpty())
            complain(u"CHROMA_URL"_s, sourceOf(u"VECTOR_STORE"_s), u"is needed with VECTOR_STORE=chroma"_s);
        if (all.vectorStore == Store::Pinecone)
            for (const auto &name : {u"PINECONE_HOST"_s, u"PINECONE_API_KEY"_s})
                if (!m_given.contains(name))
                    complain(name, sourceOf(u"VECTOR_STORE"_s), u"is needed with VECTOR_STORE=pinecone"_s);
        if (all.isProduction() && all.pineconeHost.startsWith("http://"_L1))
            complain(u"PINECONE_HOST"_s, sourceOf(u"PINECONE_HOST"_s),
                     u"must be https:// with COMPANION_ENV=production"_s);
    }

    void completeFirebase(const Configuration &all)
    {
        const QString emulator = u"FIREBASE_AUTH_EMULATOR_HOST"_s, certificates = u"FIREBASE_CERTIFICATES_URL"_s;
        if (all.isProduction() && !all.firebaseAuthEmulatorHost.isEmpty())
            complain(emulator, sourceOf(emulator),
                     u"the emulator accepts unsigned tokens: never with COMPANION_ENV=production"_s);
        else if (!all.firebaseAuthEmulatorHost.isEmpty())
            m_loaded.notices
                << u"FIREBASE_AUTH_EMULATOR_HOST is set: whoever reaches this server can sign in as anybody "
                   "of the Firebase project."_s;
        if (all.isProduction() && !all.firebaseCertificatesUrl.startsWith("https://"_L1))
            complain(certificates, sourceOf(certificates),
                     u"must be https:// with COMPANION_ENV=production: whoever answers there decides who signs in"_s);
        if (all.firebaseProjectId.isEmpty())
            for (const auto &name : {emulator, certificates, u"FIREBASE_WEB_API_KEY"_s})
                if (m_given.contains(name))
                    complain(name, sourceOf(name), u"needs FIREBASE_PROJECT_ID too"_s);
    }

    void completeStores(const Configuration &all)
    {
        const auto given = [this](const QString &name) { return m_given.contains(name); };
        for (const auto &problem : storeProblems(all, given))
            complain(problem.variable, given(problem.variable) ? sourceOf(problem.variable) : environmentSource,
                     problem.message);
    }

    void completeStripe(const Configuration &all)
    {
        const QString key = u"STRIPE_SECRET_KEY"_s, secret = u"STRIPE_WEBHOOK_SECRET"_s, base = u"STRIPE_API_BASE"_s;
        static const QRegularExpression isSecretKey(u"^(sk|rk)_[A-Za-z0-9_]{4,250}$"_s);
        if (!all.usesStripe()) {
            for (const auto &name : {secret, base, u"STRIPE_RETURN_URL"_s, u"STRIPE_PORTAL_CONFIGURATION"_s})
                if (m_given.contains(name))
                    complain(name, sourceOf(name), u"needs STRIPE_SECRET_KEY too"_s);
            return;
        }
        if (!isSecretKey.match(all.stripeSecretKey).hasMatch())
            complain(key, sourceOf(key), u"must be a secret (sk_…) or restricted (rk_…) key of Stripe's"_s);
        if (all.stripeWebhookSecrets.isEmpty())
            complain(key, sourceOf(key), u"needs STRIPE_WEBHOOK_SECRET too: no webhook could be believed"_s);
        if (all.isProduction() && !all.stripeApiBase.startsWith("https://"_L1))
            complain(base, sourceOf(base), u"must be https:// with COMPANION_ENV=production: the key is sent there"_s);
        if (all.isProduction() && !all.stripeSecretKey.contains("_live_"_L1))
            m_loaded.notices << u"STRIPE_SECRET_KEY is no live key: Stripe takes no real money."_s;
    }

    QString sourceOf(const QString &name) const { return m_given.value(name).source; }

    const QProcessEnvironment &m_environment;
    Settings m_given;
    LoadedConfiguration m_loaded;
};

} // namespace

LoadedConfiguration loadConfiguration(const QProcessEnvironment &environment, const QMap<QString, QString> &commandLine)
{
    return Loading(environment, commandLine).load();
}

} // namespace companion::app
