#include "fakes/FakeWire.h"

#include <QTcpSocket>

namespace companion::test {

using namespace Qt::StringLiterals;

FakeWire::FakeWire(Handler handler, QObject *parent)
    : QObject(parent)
    , m_handler(std::move(handler))
{
    connect(&m_server, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *socket = m_server.nextPendingConnection()) {
            connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
            if (silent)
                socket->abort();
        }
    });
    m_server.listen(QHostAddress::LocalHost, 0);
}

QUrl FakeWire::url() const
{
    return QUrl(u"http://127.0.0.1:%1"_s.arg(m_server.serverPort()));
}

void FakeWire::read(QTcpSocket *socket)
{
    const QByteArray all = socket->peek(8 * 1024 * 1024);
    const qsizetype end = all.indexOf("\r\n\r\n");
    if (end < 0)
        return;
    const QList<QByteArray> lines = all.first(end).split('\n');
    Request request;
    for (const QByteArray &line : lines.mid(1))
        request.headers.insert(line.left(line.indexOf(':')).trimmed().toLower(),
                               line.mid(line.indexOf(':') + 1).trimmed());
    const qsizetype length = request.headers.value("content-length").toLongLong();
    if (all.size() < end + 4 + length)
        return;
    socket->read(end + 4 + length);
    const QList<QByteArray> words = lines.first().trimmed().split(' ');
    const QUrl target = QUrl::fromEncoded(words.value(1));
    request.method = words.value(0);
    request.path = target.path(QUrl::FullyDecoded);
    request.query = QUrlQuery(target);
    request.body = all.mid(end + 4, length);
    m_requests.append(request);
    Answer answer{503, R"({"error":"try again"})"};
    if (failures > 0)
        --failures;
    else
        answer = m_handler(request);
    socket->write("HTTP/1.1 " + QByteArray::number(answer.status) + " X\r\nContent-Type: " + answer.contentType
                  + "\r\nContent-Length: " + QByteArray::number(answer.body.size()) + "\r\nConnection: close\r\n\r\n"
                  + answer.body);
    socket->disconnectFromHost();
}

} // namespace companion::test
