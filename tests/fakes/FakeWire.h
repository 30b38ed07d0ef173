#pragma once

#include <QHash>
#include <QObject>
#include <QTcpServer>
#include <QUrl>
#include <QUrlQuery>

#include <functional>

namespace companion::test {

// A real HTTP server on the loopback that hands each whole request to one function: what fakes of JSON APIs stand on.
class FakeWire : public QObject
{
    Q_OBJECT
public:
    struct Request
    {
        QByteArray method;
        QString path; // decoded
        QUrlQuery query;
        QHash<QByteArray, QByteArray> headers; // names in lower case
        QByteArray body;
    };
    struct Answer
    {
        int status = 200;
        QByteArray body;
        QByteArray contentType = "application/json";
    };
    using Handler = std::function<Answer(const Request &)>;

    explicit FakeWire(Handler handler, QObject *parent = nullptr);
    QUrl url() const; // http://127.0.0.1:PORT

    const QList<Request> &requests() const { return m_requests; }
    void forget() { m_requests.clear(); }
    int failures = 0; // the next so many requests are answered 503
    bool silent = false; // connections are closed at once

private:
    void read(class QTcpSocket *socket);

    Handler m_handler;
    QTcpServer m_server;
    QList<Request> m_requests;
};

} // namespace companion::test
