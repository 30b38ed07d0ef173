#pragma once

#include "fakes/FakeLlmScript.h"

#include <QJsonObject>
#include <QPointer>
#include <QTcpServer>
#include <QUrl>

class FakeLlmConnection;

// A provider on the OpenAI wire for tests: a real HTTP server on the loopback address, streaming or not, that does what
// FakeLlmScript says. Which script: next() first, then the request's X-Fake-Llm header, its model ("fake: pace=20"),
// a "[[fake: …]]" in its last message, then always(). For programs that are not C++ the same over HTTP:
// POST /v1/moderations answers as OpenAI does and flags what the input names: "[[flag: hate/threatening 0.9]]"; scripts
// (next, always, a "[[fake: …]]" in the input) know status, delay, drop, stall=head and garbage there.
//   POST /control/next?times=2, /control/always  (the body is the script), /control/release, /control/reset
//   GET  /control/stats → {requests, running, peak, held}   GET /control/requests → [{path, headers, body}]
class FakeLlm : public QObject
{
    Q_OBJECT
public:
    struct Seen
    {
        QByteArray path;
        QMap<QByteArray, QByteArray> headers; // names in lower case
        QByteArray body;
        QJsonObject json() const;
    };

    explicit FakeLlm(QObject *parent = nullptr);

    bool listen(quint16 port = 0); // 0: any free one
    QUrl baseUrl() const; // http://127.0.0.1:PORT/v1

    void next(const QString &script, int times = 1);
    void always(const QString &script) { m_always = script; }
    void release(); // lets all held requests go
    void reset();

    const QList<Seen> &requests() const { return m_requests; } // for completions alone
    const QList<Seen> &moderations() const { return m_moderations; }
    int running() const { return m_running; }
    int peak() const { return m_peak; } // the most that ran at once
    int connections() const { return m_connections; } // ever opened
    int held() const { return int(m_held.size()); }

private:
    friend class FakeLlmConnection;
    void accept();
    void handle(FakeLlmConnection *connection, const QByteArray &method, const Seen &seen);
    void complete(FakeLlmConnection *connection, const Seen &seen);
    void moderate(FakeLlmConnection *connection, const Seen &seen);
    QByteArray control(const QByteArray &path, const Seen &seen);
    FakeLlmScript scriptFor(const Seen &seen);
    void began();
    void ended() { --m_running; }

    QTcpServer m_server;
    QStringList m_next;
    QString m_always;
    QList<Seen> m_requests;
    QList<Seen> m_moderations;
    QList<QPointer<FakeLlmConnection>> m_held;
    int m_connections = 0;
    int m_running = 0;
    int m_peak = 0;
};
