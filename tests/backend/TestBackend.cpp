#include "backend/TestBackend.h"

#include "common/describe/EnumText.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QNetworkReply>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTest>

namespace companion::test {

using namespace Qt::StringLiterals;

QJsonObject Answer::json() const
{
    return QJsonDocument::fromJson(body).object();
}

QString Answer::code() const
{
    return json().value(u"code"_s).toString();
}

QJsonObject Event::json() const
{
    return QJsonDocument::fromJson(data).object();
}

TestBackend::TestBackend(const QMap<QString, QString> &settings)
{
    QMap<QString, QString> all{{u"COMPANION_DATA"_s, m_data.path()},    {u"COMPANION_LISTEN"_s, u"127.0.0.1:0"_s},
                               {u"COMPANION_REHEARSAL_PACE"_s, u"0"_s}, {u"RATE_LIMIT_SIGN_IN"_s, u"10000"_s},
                               {u"COMPANION_DB_WORKERS"_s, u"4"_s},     {u"COMPANION_DB_OPERATOR_WORKERS"_s, u"2"_s}};
    all.insert(settings);
    const auto loaded = app::loadConfiguration({}, all);
    for (const auto &problem : loaded.problems)
        qFatal("%s", qPrintable(problem.toString()));
    auto features = app::Features::make(loaded.configuration, m_clock);
    if (!features)
        qFatal("%s", qPrintable(features.error()));
    m_features = std::move(*features);
    {
        db::Session operators(m_database.operatorTarget(), m_clock);
        db::Transaction transaction(operators);
        characters::installSampleCharacters(operators);
        transaction.commit();
    }
    m_backend = std::make_unique<app::Backend>(
        loaded.configuration,
        app::Databases{m_database.ownerTarget(), m_database.appTarget(), m_database.operatorTarget(), {}, {}},
        *m_features, m_clock);
    m_port = m_backend->listen().value();
    if (const QString prism = qEnvironmentVariable("COMPANION_TEST_PRISM"); !prism.isEmpty())
        startPrism(prism);
}

// Without --errors: what is wrong comes in a header of the answer, so that deliberately wrong requests get through.
void TestBackend::startPrism(const QString &program)
{
    QTcpServer free;
    free.listen(QHostAddress::LocalHost);
    const quint16 port = free.serverPort();
    free.close();
    const QString url = u"http://127.0.0.1:%1"_s.arg(m_port);
    m_prism.setProcessChannelMode(QProcess::MergedChannels);
    m_prism.start(u"node"_s,
                  {program, u"proxy"_s, url + u"/api/v1/openapi.json"_s, url, u"--port"_s, QString::number(port),
                   u"--multiprocess"_s, u"false"_s});
    QByteArray said;
    const auto isListening = [&] { return (said += m_prism.readAll()).contains("is listening"); };
    if (!QTest::qWaitFor(isListening, 120'000)) // this program serves the document meanwhile
        qFatal("prism does not start: %s", said.constData());
    QObject::connect(&m_prism, &QProcess::readyRead, &m_prism, [this] { m_prism.readAll(); });
    m_prismPort = port;
}

TestBackend::~TestBackend()
{
    m_prism.kill();
    m_prism.waitForFinished();
    QSignalSpy stopped(m_backend.get(), &app::Backend::stopped);
    m_backend->shutDown();
    if (stopped.isEmpty())
        stopped.wait(20'000);
}

namespace {

// Prism reads answers whole and as text, knows no HEAD and no OPTIONS, and answers itself where a body is no JSON.
bool passesPrism(const QByteArray &method, const QString &path, const QByteArray &body)
{
    static const QList<QByteArray> methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
    const bool isStream = path.contains(u"/chat/stream"_s) || body.contains("\"stream\":true");
    const bool isReadable = body.isEmpty() || !QJsonDocument::fromJson(body).isNull();
    return methods.contains(method) && isReadable && !isStream && !path.contains(u"/avatar"_s)
        && path.startsWith(u"/api/v1/"_s);
}

} // namespace

// A violation is {location: ["response", …], severity, message}.
void TestBackend::judge(const QByteArray &method, const QString &path, const Answer &answer) const
{
    for (const QJsonValue &found : QJsonDocument::fromJson(answer.headers.value("sl-violations")).array()) {
        const QString where = found[u"location"][0].toString();
        if (found[u"severity"].toString() != u"Error" || (where == u"request" && answer.status >= 400))
            continue;
        const QString said = QString::fromUtf8(method) + u' ' + path + u": "_s
            + QString::fromUtf8(QJsonDocument(found.toObject()).toJson(QJsonDocument::Compact));
        QTest::qFail(qPrintable(said), __FILE__, __LINE__);
    }
}

Answer TestBackend::request(const QByteArray &method, const QString &path, const QByteArray &body,
                            const QByteArray &token, const QMap<QByteArray, QByteArray> &headers)
{
    const bool byPrism = m_prismPort && passesPrism(method, path, body);
    QNetworkRequest wanted(QUrl(u"http://127.0.0.1:%1%2"_s.arg(byPrism ? m_prismPort : m_port).arg(path)));
    if (!token.isEmpty())
        wanted.setRawHeader("Authorization", "Bearer " + token);
    if (!body.isEmpty())
        wanted.setRawHeader("Content-Type", "application/json");
    for (auto it = headers.begin(); it != headers.end(); ++it)
        wanted.setRawHeader(it.key(), it.value());
    std::unique_ptr<QNetworkReply> reply(m_network.sendCustomRequest(wanted, method, body));
    QSignalSpy finished(reply.get(), &QNetworkReply::finished);
    if (!reply->isFinished())
        finished.wait(30'000);
    Answer answer{.status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                  .body = reply->readAll(),
                  .headers = {}};
    for (const auto &[name, value] : reply->rawHeaderPairs())
        answer.headers.insert(name.toLower(), value);
    if (byPrism)
        judge(method, path, answer);
    return answer;
}

Answer TestBackend::post(const QString &path, const QJsonObject &body, const Person &person,
                         const QMap<QByteArray, QByteArray> &headers)
{
    return request("POST", path, QJsonDocument(body).toJson(QJsonDocument::Compact), person.token, headers);
}

Person TestBackend::newPerson(const QString &email, QList<Role> roles)
{
    db::Session operators(m_database.operatorTarget(), m_clock);
    QString key;
    UserId user;
    {
        db::Transaction transaction(operators);
        const auto account =
            m_features->accounts.create(operators,
                                        {.displayName = email.section(u'@', 0, 0), .email = email, .roles = roles},
                                        m_clock.now());
        ensure(account.has_value(), "the address is free");
        user = account->id();
        key = identity::AccessKeys().create(operators, user, std::nullopt).key;
        transaction.commit();
    }
    const auto grant = post(u"/api/v1/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, key}}).json();
    return {user, grant.value(u"access_token"_s).toString().toLatin1()};
}

QString TestBackend::openSession(const Person &person, const QString &character)
{
    return post(u"/api/v1/chat/sessions"_s, {{u"character"_s, character}}, person).json().value(u"id"_s).toString();
}

std::unique_ptr<QTcpSocket> TestBackend::openStream(const QString &path, const QJsonObject &body, const Person &person)
{
    auto socket = std::make_unique<QTcpSocket>();
    socket->connectToHost(QHostAddress::LocalHost, m_port);
    const QByteArray json = QJsonDocument(body).toJson(QJsonDocument::Compact);
    socket->write("POST " + path.toLatin1()
                  + " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                    "Authorization: Bearer "
                  + person.token + "\r\nContent-Length: " + QByteArray::number(json.size()) + "\r\n\r\n" + json);
    return socket;
}

QList<Event> TestBackend::eventsOf(const QByteArray &body)
{
    QList<Event> events;
    Event event;
    for (QByteArray line : body.split('\n')) {
        line = line.trimmed();
        if (line.startsWith("id:"))
            event.id = line.sliced(3).trimmed();
        else if (line.startsWith("event:"))
            event.name = line.sliced(6).trimmed();
        else if (line.startsWith("data:"))
            event.data += line.sliced(5).trimmed();
        else if (line.isEmpty() && !event.data.isEmpty())
            events.append(std::exchange(event, {}));
    }
    return events;
}

QString TestBackend::textOf(const QList<Event> &events)
{
    QString text;
    for (const Event &event : events)
        text += event.json()[u"choices"_s][0][u"delta"][u"content"].toString();
    return text;
}

Balance TestBackend::balanceOf(const Person &person)
{
    const auto balance = fromJson<Balance>(get(u"/api/v1/wallet/balance"_s, person).json());
    ensure(balance.has_value(), "a balance reads as its model");
    return *balance;
}

double TestBackend::metric(const QByteArray &beginning)
{
    for (const QByteArray &line : request("GET", u"/metrics"_s).body.split('\n'))
        if (line.startsWith(beginning))
            return line.sliced(line.lastIndexOf(' ') + 1).toDouble();
    return 0;
}

void TestBackend::verifyBooks()
{
    db::Session operators(m_database.operatorTarget(), m_clock, 0);
    for (const auto &finding : m_features->ledger.audit(operators))
        QFAIL(qPrintable(finding.rule + u": " + finding.detail));
}

} // namespace companion::test
