#pragma once

#include <QHash>
#include <QJsonObject>
#include <QTcpServer>
#include <QUrl>
#include <QUrlQuery>
#include <functional>

namespace companion::console {

struct CannedRequest
{
    QByteArray method;
    QString path;
    QUrlQuery query;
    QHash<QByteArray, QByteArray> headers; // names in lower case
    QByteArray body;

    QJsonObject json() const;
    QString route() const { return QString::fromLatin1(method) + u' ' + path; }
};

struct CannedReply
{
    int status = 200;
    QByteArray body;
    QByteArray contentType = "application/json";
    QList<std::pair<QByteArray, QByteArray>> headers = {};
    QList<QByteArray> stream = {}; // sent one by one instead of the body, then the connection closes
    int delay_ms = 0;              // before the answer, and between the parts of a stream
    bool drop = false;             // closes the connection without a word

    static CannedReply json(const QJsonObject &object, int status = 200);
    static CannedReply problem(int status, const QString &code, const QString &detail);
};

// A small HTTP server that answers what the test tells it to and remembers what it was asked.
class CannedServer : public QTcpServer
{
    Q_OBJECT
public:
    using Answer = std::function<CannedReply(const CannedRequest &)>;

    explicit CannedServer(QObject *parent = nullptr);
    QUrl url() const;
    // "GET /api/v1/auth/me"; a path that ends with * stands for all that begin so. The last one added wins.
    void on(const QString &route, Answer answer);
    void on(const QString &route, const CannedReply &reply);

    QList<CannedRequest> requests;
    int count(const QString &route) const;
    CannedRequest last(const QString &route) const;

private:
    void serve(QTcpSocket *socket);
    CannedReply replyTo(const CannedRequest &request) const;

    QList<std::pair<QString, Answer>> m_answers;
};

} // namespace companion::console
