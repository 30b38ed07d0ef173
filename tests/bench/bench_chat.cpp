// Chat completions a second through the whole backend, the provider answering at once, everything on this machine's
// cores, beside pgbench running a plain settlement (lock the wallet, take from it, write history and two messages) over
// as many connections to the same cluster; then the latency at half of that rate. Durable commits, rounds in turn.
//   bench_chat BACKEND [connections = 32] [seconds a round = 8] [rounds = 3]
#include "bench/ChatLoad.h"
#include "identity/AccessKeys.h"
#include "ledger/Ledger.h"
#include "support/TestDatabase.h"

#include <QCoreApplication>
#include <QEventLoop>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <algorithm>
#include <cstdio>

using namespace companion;
using namespace Qt::StringLiterals;

namespace {

QJsonObject post(quint16 port, const QString &path, const QJsonObject &body, const QByteArray &token = {})
{
    static QNetworkAccessManager network;
    QNetworkRequest request(QUrl(u"http://127.0.0.1:%1%2"_s.arg(port).arg(path)));
    request.setHeader(QNetworkRequest::ContentTypeHeader, u"application/json"_s);
    if (!token.isEmpty())
        request.setRawHeader("Authorization", "Bearer " + token);
    const std::unique_ptr<QNetworkReply> reply(network.post(request, QJsonDocument(body).toJson()));
    QEventLoop loop;
    QObject::connect(reply.get(), &QNetworkReply::finished, &loop, &QEventLoop::quit);
    loop.exec();
    return QJsonDocument::fromJson(reply->readAll()).object();
}

// The product's own program, on the bench's database and provider.
class BackendProcess
{
public:
    BackendProcess(const QString &program, const db::Target &owner, quint16 llmPort)
    {
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(u"DATABASE_URL"_s,
                           u"postgresql:///%1?host=%2&port=%3&user=%4"_s.arg(owner.database, owner.host)
                               .arg(owner.port)
                               .arg(owner.user));
        environment.remove(u"COMPANION_TEST_DURABLE"_s); // ours, no setting of the product's
        environment.insert(u"COMPANION_LISTEN"_s, u"127.0.0.1:0"_s);
        environment.insert(u"COMPANION_LOG_LEVEL"_s, u"error"_s);
        environment.insert(u"LLM_BASE_URL"_s, u"http://127.0.0.1:%1/v1"_s.arg(llmPort));
        environment.insert(u"RATE_LIMIT_SIGN_IN"_s, u"100000"_s);
        m_process.setProcessEnvironment(environment);
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.start(program, {u"serve"_s, u"--ready-json"_s, u"--data"_s, m_data.path()});
        m_process.waitForReadyRead(30'000);
        const auto ready = QJsonDocument::fromJson(m_process.readLine()).object();
        m_port = quint16(std::max(0, QUrl(ready[u"url"_s].toString()).port()));
        ensure(m_port > 0, "the backend starts");
    }
    ~BackendProcess()
    {
        m_process.terminate();
        m_process.waitForFinished(40'000);
    }
    quint16 port() const { return m_port; }
    qint64 pid() const { return m_process.processId(); }

private:
    QTemporaryDir m_data;
    QProcess m_process;
    quint16 m_port = 0;
};

// One user, one session, one request, for each connection.
QByteArray requestOf(test::TestDatabase &database, const ledger::Ledger &ledger, quint16 port, int n)
{
    const UserId user = UserId::create();
    database.owner().script(u"INSERT INTO users (id, display_name, email, tier, created_at) "
                            "VALUES ('%1', 'Bench', 'bench%2@example.com', 'vip', now())"_s.arg(user.toString())
                                .arg(n));
    db::Session &operators = database.operators();
    const auto granted = ledger.grant(
        operators,
        {.user = user, .key = u"start"_s, .amount = Credits::fromUnits(1'000'000'000'000), .description = u"Start"_s});
    ensure(granted.has_value(), "the wallet is filled");
    const QString key = identity::AccessKeys().create(operators, user, std::nullopt).key;
    const auto grant = post(port, u"/api/v1/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, key}});
    const QByteArray token = grant[u"access_token"_s].toString().toLatin1();
    const auto session = post(port, u"/api/v1/chat/sessions"_s, {{u"character"_s, u"aria"_s}}, token);
    const QByteArray body = QJsonDocument(QJsonObject{{u"session_id"_s, session[u"id"_s]},
                                                      {u"message"_s, u"Hello! Do you remember the walk by the sea?"_s}})
                                .toJson(QJsonDocument::Compact);
    return "POST /api/v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: "
           "Bearer "
        + token + "\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
}

void makePlainTables(test::TestDatabase &database, int wallets)
{
    database.owner().script(
        u"CREATE SCHEMA plain; GRANT USAGE ON SCHEMA plain TO companion_app;"
        "CREATE TABLE plain.wallets (user_id bigint PRIMARY KEY, balance numeric(18,4) NOT NULL);"
        "CREATE TABLE plain.history (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES plain.wallets, "
        "amount numeric(18,4) NOT NULL,"
        " balance_after numeric(18,4) NOT NULL, description text NOT NULL, created_at timestamptz NOT NULL DEFAULT "
        "now());"
        "CREATE TABLE plain.messages (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES plain.wallets, role "
        "text NOT NULL,"
        " content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());"
        "CREATE INDEX ON plain.history (user_id, created_at); CREATE INDEX ON plain.messages (user_id, created_at);"
        "INSERT INTO plain.wallets SELECT n, 1000000 FROM generate_series(1, %1) n;"
        "GRANT ALL ON ALL TABLES IN SCHEMA plain TO companion_app; GRANT ALL ON ALL SEQUENCES IN SCHEMA plain TO companion_app"_s
            .arg(wallets));
}

QByteArray plainSettlement(int wallets)
{
    return u"\\set n random(1, %1)\n"
           "BEGIN;\n"
           "SELECT balance FROM plain.wallets WHERE user_id = :n FOR UPDATE;\n"
           "UPDATE plain.wallets SET balance = balance - 0.0148 WHERE user_id = :n;\n"
           "INSERT INTO plain.history (user_id, amount, balance_after, description) SELECT :n, -0.0148, balance, "
           "'Reply from Aria' FROM plain.wallets WHERE user_id = :n;\n"
           "INSERT INTO plain.messages (user_id, role, content) VALUES (:n, 'user', 'Hello! Do you remember the walk "
           "by the sea?'),"
           " (:n, 'assistant', 'It is good to hear from you. I was just thinking of the long walk by the sea that you "
           "told me about.');\n"
           "COMMIT;\n"_s.arg(wallets)
               .toUtf8();
}

double pgbenchPerSecond(const db::Target &target, const QString &script, int connections, int seconds)
{
    QProcess pgbench;
    pgbench.start(u"pgbench"_s,
                  {u"-n"_s, u"-M"_s, u"prepared"_s, u"-h"_s, target.host, u"-p"_s, QString::number(target.port),
                   u"-U"_s, target.user, u"-c"_s, QString::number(connections), u"-j"_s, u"2"_s, u"-T"_s,
                   QString::number(seconds), u"-f"_s, script, target.database});
    pgbench.waitForFinished(-1);
    static const QRegularExpression tps(u"tps = ([0-9.]+)"_s);
    const auto match = tps.match(QString::fromUtf8(pgbench.readAllStandardOutput()));
    ensure(match.hasMatch(), "pgbench ran to its end");
    return match.captured(1).toDouble();
}

int argument(int at, int otherwise)
{
    const QStringList words = QCoreApplication::arguments();
    return at < words.size() ? words[at].toInt() : otherwise;
}

double median(QList<double> values)
{
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void report(const char *what, const bench::LoadFigures &figures)
{
    std::printf("%s: %.0f/s, p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, %lld failed\n", what, figures.perSecond,
                figures.percentile_ms(0.5), figures.percentile_ms(0.95), figures.percentile_ms(0.99),
                static_cast<long long>(figures.failed));
    if (figures.failed > 0)
        std::printf("%s\n", figures.firstFailure.constData());
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_chat BACKEND [connections] [seconds] [rounds]\n");
        return 2;
    }
    qputenv("COMPANION_TEST_DURABLE", "1");
    const int connections = argument(2, 32);
    const int seconds = argument(3, 8);
    const int rounds = argument(4, 3);

    test::TestDatabase database;
    makePlainTables(database, connections);
    QTemporaryDir folder;
    QFile script(folder.filePath(u"settlement.sql"_s));
    ensure(script.open(QIODevice::WriteOnly) && script.write(plainSettlement(connections)) > 0 && script.flush(),
           "pgbench's script can be written");

    const bench::InstantLlm llm;
    const BackendProcess backend(app.arguments().at(1), database.ownerTarget(), llm.port());
    database.owner().script(u"UPDATE tiers SET requests_per_minute = 1000000"_s);
    const ledger::Ledger ledger;
    QList<QByteArray> requests;
    for (int n = 0; n < connections; ++n)
        requests << requestOf(database, ledger, backend.port(), n);
    std::printf("backend pid %lld, port %d\n", static_cast<long long>(backend.pid()), backend.port());
    report("warm-up", bench::load(backend.port(), requests, 2));

    QList<double> ours, theirs;
    for (int round = 0; round < rounds; ++round) {
        theirs << pgbenchPerSecond(database.appTarget(), script.fileName(), connections, seconds);
        const auto figures = bench::load(backend.port(), requests, seconds);
        ours << figures.perSecond;
        std::printf("round %d: pgbench %.0f settlements/s\n", round + 1, theirs.last());
        report("  completions", figures);
    }
    report("at half of the rate", bench::load(backend.port(), requests, seconds, median(ours) / 2));
    const auto findings = ledger.audit(database.operators());
    std::printf("median: pgbench %.0f/s, completions %.0f/s, ratio %.2f; %lld audit findings\n", median(theirs),
                median(ours), median(ours) / median(theirs), static_cast<long long>(findings.size()));
    return findings.isEmpty() ? 0 : 1;
}
