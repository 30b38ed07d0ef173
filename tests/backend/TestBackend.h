#pragma once

#include "app/Backend.h"
#include "support/TestDatabase.h"

#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QProcess>
#include <QTcpSocket>
#include <QTemporaryDir>

namespace companion::test {

// One HTTP answer, whole.
struct Answer
{
    int status = 0;
    QByteArray body;
    QHash<QByteArray, QByteArray> headers; // names in lower case

    QJsonObject json() const;
    QString code() const; // of a problem
};

// One event of a stream.
struct Event
{
    QByteArray id;
    QByteArray name;
    QByteArray data;

    QJsonObject json() const;
};

// A signed-in somebody.
struct Person
{
    UserId id;
    QByteArray token;
};

// A whole backend in this process, on a database of its own and a free port, with the rehearsal model at full speed.
// With COMPANION_TEST_PRISM naming prism's program, requests and answers that it can carry pass that validating proxy,
// and an answer that breaks the API document is a failure of the running test.
class TestBackend
{
public:
    explicit TestBackend(const QMap<QString, QString> &settings = {});
    ~TestBackend();

    Answer request(const QByteArray &method, const QString &path, const QByteArray &body = {},
                   const QByteArray &token = {}, const QMap<QByteArray, QByteArray> &headers = {});
    Answer get(const QString &path, const Person &person) { return request("GET", path, {}, person.token); }
    Answer post(const QString &path, const QJsonObject &body, const Person &person = {},
                const QMap<QByteArray, QByteArray> &headers = {});

    Person newPerson(const QString &email, QList<Role> roles = {Role::User});
    QString openSession(const Person &person, const QString &character = QStringLiteral("aria"));

    // A socket that has sent a streaming request and nothing more.
    std::unique_ptr<QTcpSocket> openStream(const QString &path, const QJsonObject &body, const Person &person);
    static QList<Event> eventsOf(const QByteArray &body);
    static QString textOf(const QList<Event> &events);

    TestDatabase &database() { return m_database; }
    app::Features &features() { return *m_features; }
    app::Backend &backend() { return *m_backend; }
    quint16 port() const { return m_port; }
    Balance balanceOf(const Person &person);
    double metric(const QByteArray &line); // the value of the line that begins so; 0 where there is none
    void verifyBooks(); // every finding of the audit is a failure

private:
    void startPrism(const QString &program);
    void judge(const QByteArray &method, const QString &path, const Answer &answer) const;

    TestDatabase m_database;
    QTemporaryDir m_data;
    SystemClock m_clock;
    std::unique_ptr<app::Features> m_features;
    std::unique_ptr<app::Backend> m_backend;
    QNetworkAccessManager m_network;
    QProcess m_prism;
    quint16 m_port = 0;
    quint16 m_prismPort = 0; // 0: none
};

} // namespace companion::test
