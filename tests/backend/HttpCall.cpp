#include "backend/HttpCall.h"

#include <QElapsedTimer>
#include <QJsonDocument>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

// The whole chunks so far; `ended` when the last one has come.
QByteArray dechunked(QByteArrayView in, bool &ended)
{
    QByteArray body;
    ended = false;
    for (;;) {
        const qsizetype line = in.indexOf("\r\n");
        if (line < 0)
            return body;
        const qsizetype size = in.first(line).toByteArray().toLongLong(nullptr, 16);
        if (in.size() < line + 4 + size)
            return body;
        if (size == 0) {
            ended = true;
            return body;
        }
        body += in.sliced(line + 2, size);
        in = in.sliced(line + 4 + size);
    }
}

} // namespace

QByteArray HttpCall::compose(const QByteArray &method, const QString &path, const QByteArray &body,
                             const QByteArray &token, const QMap<QByteArray, QByteArray> &headers)
{
    QByteArray out = method + ' ' + path.toLatin1() + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    if (!token.isEmpty())
        out += "Authorization: Bearer " + token + "\r\n";
    for (auto it = headers.begin(); it != headers.end(); ++it)
        out += it.key() + ": " + it.value() + "\r\n";
    if (!body.isEmpty())
        out += "Content-Type: application/json\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n";
    return out + "\r\n" + body;
}

QByteArray HttpCall::compose(const QString &path, const QJsonObject &body, const Person &person,
                             const QMap<QByteArray, QByteArray> &headers)
{
    return compose("POST", path, QJsonDocument(body).toJson(QJsonDocument::Compact), person.token, headers);
}

HttpCall::HttpCall(quint16 port, const QByteArray &bytes, QObject *parent)
    : QObject(parent)
{
    connect(&m_socket, &QTcpSocket::readyRead, this, [this] {
        m_in += m_socket.readAll();
        Q_EMIT progressed();
    });
    connect(&m_socket, &QTcpSocket::disconnected, this, &HttpCall::end);
    connect(&m_socket, &QTcpSocket::errorOccurred, this, &HttpCall::end, Qt::QueuedConnection);
    m_socket.connectToHost(QHostAddress::LocalHost, port);
    m_socket.write(bytes);
}

void HttpCall::say(const QByteArray &bytes)
{
    m_socket.write(bytes);
    m_socket.flush();
}

void HttpCall::leave()
{
    if (m_socket.isOpen())
        m_in += m_socket.readAll();
    m_socket.abort();
    end();
}

void HttpCall::hangUp()
{
    m_socket.disconnectFromHost();
}

void HttpCall::end()
{
    if (m_over)
        return;
    m_over = true;
    if (m_socket.isOpen())
        m_in += m_socket.readAll();
    Q_EMIT over();
}

bool HttpCall::isWhole() const
{
    const Answer now = answer();
    if (now.status == 0)
        return false;
    const qsizetype body = m_in.indexOf("\r\n\r\n") + 4;
    if (now.headers.value("transfer-encoding") != "chunked")
        return m_in.size() - body >= now.headers.value("content-length").toLongLong();
    bool ended = false;
    dechunked(QByteArrayView(m_in).sliced(body), ended);
    return ended;
}

bool HttpCall::awaitThat(const std::function<bool()> &that, int wait_ms)
{
    QElapsedTimer waited;
    waited.start();
    while (!that() && !m_over && waited.elapsed() < wait_ms)
        QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 20);
    return that();
}

bool HttpCall::await(int wait_ms)
{
    return awaitThat([this] { return m_over; }, wait_ms);
}

bool HttpCall::awaitBytes(qsizetype count, int wait_ms)
{
    return awaitThat([&] { return m_in.size() >= count; }, wait_ms);
}

bool HttpCall::awaitText(const QByteArray &text, int wait_ms)
{
    return awaitThat([&] { return m_in.contains(text); }, wait_ms);
}

Answer HttpCall::answer() const
{
    Answer answer;
    const qsizetype head = m_in.indexOf("\r\n\r\n");
    if (head < 0)
        return answer;
    const auto lines = m_in.first(head).split('\n');
    answer.status = lines.first().mid(9, 3).toInt();
    for (const auto &line : lines.sliced(1))
        answer.headers.insert(line.first(line.indexOf(':')).toLower(), line.sliced(line.indexOf(':') + 1).trimmed());
    bool ended = false;
    const auto rest = QByteArrayView(m_in).sliced(head + 4);
    answer.body = answer.headers.value("transfer-encoding") == "chunked" ? dechunked(rest, ended) : rest.toByteArray();
    return answer;
}

} // namespace companion::test
