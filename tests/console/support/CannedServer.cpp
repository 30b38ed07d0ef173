#include "tests/console/support/CannedServer.h"

#include <QJsonDocument>
#include <QTcpSocket>
#include <QTimer>

#include <algorithm>

namespace companion::console {

QJsonObject CannedRequest::json() const
{
    return QJsonDocument::fromJson(body).object();
}

CannedReply CannedReply::json(const QJsonObject &object, int status)
{
    return {.status = status, .body = QJsonDocument(object).toJson(QJsonDocument::Compact)};
}

CannedReply CannedReply::problem(int status, const QString &code, const QString &detail)
{
    CannedReply reply =
        json({{QStringLiteral("status"), status}, {QStringLiteral("code"), code}, {QStringLiteral("detail"), detail}},
             status);
    reply.contentType = "application/problem+json";
    return reply;
}

CannedServer::CannedServer(QObject *parent)
    : QTcpServer(parent)
{
    listen(QHostAddress::LocalHost);
    connect(this, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *socket = nextPendingConnection()) {
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { serve(socket); });
            connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        }
    });
}

QUrl CannedServer::url() const
{
    return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(serverPort()));
}

void CannedServer::on(const QString &route, Answer answer)
{
    m_answers.prepend({route, std::move(answer)});
}

void CannedServer::on(const QString &route, const CannedReply &reply)
{
    on(route, [reply](const CannedRequest &) { return reply; });
}

int CannedServer::count(const QString &route) const
{
    return static_cast<int>(
        std::ranges::count_if(requests, [&](const CannedRequest &request) { return request.route() == route; }));
}

CannedRequest CannedServer::last(const QString &route) const
{
    for (auto request = requests.rbegin(); request != requests.rend(); ++request)
        if (request->route() == route)
            return *request;
    return {};
}

CannedReply CannedServer::replyTo(const CannedRequest &request) const
{
    for (const auto &[route, answer] : m_answers) {
        const bool prefix = route.endsWith(u'*');
        if (prefix ? request.route().startsWith(QStringView(route).chopped(1)) : request.route() == route)
            return answer(request);
    }
    return CannedReply::problem(404, QStringLiteral("not_found"), QStringLiteral("The test has no answer for this."));
}

// Requests come whole in these tests or in two pieces; the buffer lives on the socket.
void CannedServer::serve(QTcpSocket *socket)
{
    QByteArray buffer = socket->property("buffer").toByteArray() + socket->readAll();
    const qsizetype end = buffer.indexOf("\r\n\r\n");
    CannedRequest request;
    if (end >= 0) {
        const QList<QByteArray> lines = buffer.left(end).split('\n');
        const QList<QByteArray> first = lines.first().trimmed().split(' ');
        const QUrl target(QString::fromLatin1(first.value(1)));
        request.method = first.value(0);
        request.path = target.path();
        request.query = QUrlQuery(target);
        for (const QByteArray &line : lines.mid(1))
            request.headers.insert(line.left(line.indexOf(':')).toLower(), line.mid(line.indexOf(':') + 1).trimmed());
    }
    if (end < 0 || buffer.size() < end + 4 + request.headers.value("content-length").toInt()) {
        socket->setProperty("buffer", buffer);
        return;
    }
    request.body = buffer.mid(end + 4, request.headers.value("content-length").toInt());
    socket->setProperty("buffer", QByteArray());
    requests.append(request);
    const CannedReply reply = replyTo(request);
    if (reply.drop)
        return socket->abort();
    QByteArray head =
        "HTTP/1.1 " + QByteArray::number(reply.status) + " x\r\nContent-Type: " + reply.contentType + "\r\n";
    for (const auto &[name, value] : reply.headers)
        head += name + ": " + value + "\r\n";
    if (reply.stream.isEmpty()) {
        head += "Content-Length: " + QByteArray::number(reply.body.size()) + "\r\n\r\n" + reply.body;
        QTimer::singleShot(reply.delay_ms, socket, [socket, head] { socket->write(head); });
        return;
    }
    socket->write(head + "Connection: close\r\n\r\n");
    for (int i = 0; i < reply.stream.size(); ++i)
        QTimer::singleShot(reply.delay_ms * (i + 1), socket,
                           [socket, part = reply.stream.at(i)] { socket->write(part); });
    QTimer::singleShot(reply.delay_ms * (static_cast<int>(reply.stream.size()) + 1), socket,
                       [socket] { socket->disconnectFromHost(); });
}

} // namespace companion::console
