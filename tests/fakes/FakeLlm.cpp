#include "fakes/FakeLlm.h"

#include "fakes/FakeLlmAnswer.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTcpSocket>
#include <QTimer>
#include <QUrlQuery>

#include <array>

// One kept-alive connection: reads a request, writes an answer piece by piece, reads the next.
class FakeLlmConnection : public QObject
{
    Q_OBJECT
public:
    FakeLlmConnection(QTcpSocket *socket, FakeLlm *server)
        : QObject(server)
        , m_socket(socket)
        , m_server(server)
    {
        socket->setParent(this);
        m_timer.setSingleShot(true);
        connect(socket, &QTcpSocket::readyRead, this, &FakeLlmConnection::read);
        connect(socket, &QTcpSocket::disconnected, this, &FakeLlmConnection::gone);
        connect(socket, &QTcpSocket::bytesWritten, this, [this] {
            if (m_answering && m_next >= m_answer.pieces.size() && m_answer.end == FakeLlmAnswer::End::Endless)
                writeNext();
        });
        connect(&m_timer, &QTimer::timeout, this, &FakeLlmConnection::writeNext);
        m_pacer.setTimerType(Qt::PreciseTimer); // coarse ones would all speak at the same moment
        connect(&m_pacer, &QTimer::timeout, this, &FakeLlmConnection::writeNext);
    }

    void answer(const FakeLlmAnswer &answer, const FakeLlmScript &script)
    {
        m_answer = answer;
        m_script = script;
        m_byteByByte = script.has("bytes");
        m_pace_ms = script.number("pace", 0);
        m_answering = true;
        m_next = -1; // the head
        if (script.text("stall") == QLatin1StringView("head"))
            return;
        if (script.has("drop"))
            return m_socket->abort();
        m_timer.start(script.number("delay", 0));
    }

    void answerAtOnce(int status, const QByteArray &body)
    {
        m_socket->write("HTTP/1.1 " + QByteArray::number(status)
                        + " Fake\r\nContent-Type: application/json\r\nContent-Length: "
                        + QByteArray::number(body.size()) + "\r\n\r\n" + body);
        read();
    }

    void hold(const FakeLlmAnswer &answer, const FakeLlmScript &script)
    {
        m_answer = answer;
        m_script = script;
    }
    void letGo() { answer(m_answer, m_script); }
    void beginCounting() { m_counted = true; }

private:
    void read()
    {
        m_in += m_socket->readAll();
        if (m_answering)
            return;
        const qsizetype head = m_in.indexOf("\r\n\r\n");
        if (head < 0)
            return;
        const QList<QByteArray> lines = m_in.left(head).split('\n');
        FakeLlm::Seen seen{.path = lines[0].split(' ').value(1), .headers = {}, .body = {}};
        for (const QByteArray &line : lines.mid(1))
            seen.headers.insert(line.left(line.indexOf(':')).trimmed().toLower(),
                                line.mid(line.indexOf(':') + 1).trimmed());
        const qsizetype length = seen.headers.value("content-length").toLongLong();
        if (m_in.size() < head + 4 + length)
            return;
        seen.body = m_in.mid(head + 4, length);
        m_in.remove(0, head + 4 + length);
        m_server->handle(this, lines[0].split(' ').value(0), seen);
    }

    void writeHead()
    {
        QByteArray head = "HTTP/1.1 " + QByteArray::number(m_answer.status)
            + " Fake\r\nContent-Type: " + m_answer.contentType + "\r\n";
        for (const QByteArray &header : m_answer.extraHeaders)
            head += header + "\r\n";
        qsizetype length = 0;
        for (const QByteArray &piece : m_answer.pieces)
            length += piece.size();
        head += m_answer.chunked ? QByteArray("Transfer-Encoding: chunked\r\n")
                                 : QByteArray("Content-Length: " + QByteArray::number(length) + "\r\n");
        m_socket->write(head + "\r\n");
    }

    void writePiece(const QByteArray &piece)
    {
        if (!m_answer.chunked) {
            m_socket->write(piece);
        } else if (m_byteByByte) {
            for (const char byte : piece) {
                m_socket->write(QByteArray("1\r\n") + byte + "\r\n");
                m_socket->flush();
            }
        } else {
            m_socket->write(QByteArray::number(piece.size(), 16) + "\r\n" + piece + "\r\n");
        }
    }

    void writeNext()
    {
        if (!m_answering || m_socket->state() != QTcpSocket::ConnectedState)
            return;
        if (m_next < 0) {
            writeHead();
            m_next = 0;
        }
        while (m_next < m_answer.pieces.size()) {
            writePiece(m_answer.pieces[m_next++]);
            if (m_pace_ms == 0)
                continue;
            m_socket->flush();
            if (!m_pacer.isActive()) // started once: with thousands of streams starting a timer is what costs most
                m_pacer.start(m_pace_ms);
            return;
        }
        m_pacer.stop();
        end();
    }

    void end()
    {
        switch (m_answer.end) {
        case FakeLlmAnswer::End::Stall:
            return;
        case FakeLlmAnswer::End::Cut:
            // what was written arrives; then the connection is gone in the middle of the chunked body
            m_socket->disconnectFromHost();
            return;
        case FakeLlmAnswer::End::Endless:
            if (m_socket->bytesToWrite() < 256 * 1024)
                writePiece(m_answer.pieces.last().repeated(64));
            return;
        case FakeLlmAnswer::End::Properly:
            break;
        }
        if (m_answer.chunked)
            m_socket->write("0\r\n\r\n");
        m_answering = false;
        stopCounting();
        QMetaObject::invokeMethod(this, &FakeLlmConnection::read, Qt::QueuedConnection);
    }

    void gone()
    {
        m_pacer.stop();
        stopCounting();
        deleteLater();
    }

    void stopCounting()
    {
        if (std::exchange(m_counted, false))
            m_server->ended();
    }

    QTcpSocket *m_socket;
    FakeLlm *m_server;
    QByteArray m_in;
    FakeLlmAnswer m_answer;
    FakeLlmScript m_script;
    QTimer m_timer; // before the head
    QTimer m_pacer; // between the pieces
    int m_pace_ms = 0;
    bool m_byteByByte = false;
    qsizetype m_next = -1;
    bool m_answering = false;
    bool m_counted = false;
};

QJsonObject FakeLlm::Seen::json() const
{
    return QJsonDocument::fromJson(body).object();
}

FakeLlm::FakeLlm(QObject *parent)
    : QObject(parent)
{
    m_server.setMaxPendingConnections(5000);
    m_server.setListenBacklogSize(1024);
    connect(&m_server, &QTcpServer::newConnection, this, &FakeLlm::accept);
}

bool FakeLlm::listen(quint16 port)
{
    return m_server.listen(QHostAddress::LocalHost, port);
}

QUrl FakeLlm::baseUrl() const
{
    return QUrl(QStringLiteral("http://127.0.0.1:%1/v1").arg(m_server.serverPort()));
}

void FakeLlm::next(const QString &script, int times)
{
    for (int i = 0; i < times; ++i)
        m_next.append(script);
}

void FakeLlm::release()
{
    for (const auto &connection : std::exchange(m_held, {})) {
        if (connection)
            connection->letGo();
    }
}

void FakeLlm::reset()
{
    m_next.clear();
    m_always.clear();
    m_requests.clear();
    m_moderations.clear();
    m_peak = m_running;
    release();
}

void FakeLlm::accept()
{
    while (QTcpSocket *socket = m_server.nextPendingConnection()) {
        ++m_connections;
        new FakeLlmConnection(socket, this);
    }
}

void FakeLlm::handle(FakeLlmConnection *connection, const QByteArray &method, const Seen &seen)
{
    const QByteArray path = seen.path.left(seen.path.indexOf('?') < 0 ? seen.path.size() : seen.path.indexOf('?'));
    if (method == "POST" && path == "/v1/chat/completions")
        return complete(connection, seen);
    if (method == "POST" && path == "/v1/moderations")
        return moderate(connection, seen);
    if (method == "GET" && path == "/v1/models")
        return connection->answerAtOnce(
            200,
            R"({"object":"list","data":[{"id":"fake","object":"model","created":1790000000,"owned_by":"tests"}]})");
    if (path.startsWith("/control/"))
        return connection->answerAtOnce(200, control(path.mid(9), seen));
    connection->answerAtOnce(404,
                             R"({"error":{"message":"no such route","type":"invalid_request_error","code":null}})");
}

void FakeLlm::complete(FakeLlmConnection *connection, const Seen &seen)
{
    m_requests.append(seen);
    began();
    connection->beginCounting();
    const FakeLlmScript script = scriptFor(seen);
    const FakeLlmAnswer answer = FakeLlmAnswer::make(script, seen.json());
    if (!script.has("barrier"))
        return connection->answer(answer, script);
    connection->hold(answer, script);
    m_held.append(connection);
    m_held.removeAll(nullptr);
    if (m_held.size() >= script.number("barrier", 1))
        release();
}

void FakeLlm::moderate(FakeLlmConnection *connection, const Seen &seen)
{
    static constexpr std::array names{"harassment",
                                      "harassment/threatening",
                                      "sexual",
                                      "hate",
                                      "hate/threatening",
                                      "illicit",
                                      "illicit/violent",
                                      "self-harm/intent",
                                      "self-harm/instructions",
                                      "self-harm",
                                      "sexual/minors",
                                      "violence",
                                      "violence/graphic"};
    m_moderations.append(seen);
    const QString input = seen.json()[QLatin1StringView("input")].toString();
    static const QRegularExpression trigger(QStringLiteral(R"(\[\[fake:(.*?)\]\])"));
    static const QRegularExpression flag(QStringLiteral(R"(\[\[flag: ([a-z/-]+) ([0-9.]+)\]\])"));
    const auto told = trigger.match(input);
    const FakeLlmScript script = FakeLlmScript::parse(!m_next.isEmpty()     ? m_next.takeFirst()
                                                          : told.hasMatch() ? told.captured(1)
                                                                            : m_always);
    QJsonObject flags, scores, types;
    for (const char *name : names) {
        flags.insert(QLatin1StringView(name), false);
        scores.insert(QLatin1StringView(name), 0.0001);
        types.insert(QLatin1StringView(name), QJsonArray{QStringLiteral("text")});
    }
    bool isFlagged = false;
    for (auto match = flag.globalMatch(input); match.hasNext();) {
        const auto one = match.next();
        flags.insert(one.captured(1), true);
        scores.insert(one.captured(1), one.captured(2).toDouble());
        isFlagged = true;
    }
    const QJsonObject result{{QStringLiteral("flagged"), isFlagged},
                             {QStringLiteral("categories"), flags},
                             {QStringLiteral("category_scores"), scores},
                             {QStringLiteral("category_applied_input_types"), types}};
    const QJsonObject body{{QStringLiteral("id"), QStringLiteral("modr-fake")},
                           {QStringLiteral("model"), seen.json()[QLatin1StringView("model")]},
                           {QStringLiteral("results"), QJsonArray{result}}};
    FakeLlmAnswer answer{.status = script.number("status", 200), .contentType = "application/json"};
    answer.pieces = {script.has("garbage") ? QByteArray("{\"results\": [{")
                                           : QJsonDocument(body).toJson(QJsonDocument::Compact)};
    connection->answer(answer, script);
}

FakeLlmScript FakeLlm::scriptFor(const Seen &seen)
{
    if (!m_next.isEmpty())
        return FakeLlmScript::parse(m_next.takeFirst());
    if (seen.headers.contains("x-fake-llm"))
        return FakeLlmScript::parse(QString::fromUtf8(seen.headers.value("x-fake-llm")));
    const QJsonObject request = seen.json();
    const QString model = request[QLatin1StringView("model")].toString();
    if (model.startsWith(QLatin1StringView("fake:")))
        return FakeLlmScript::parse(model.mid(5));
    const QJsonArray messages = request[QLatin1StringView("messages")].toArray();
    static const QRegularExpression trigger(QStringLiteral(R"(\[\[fake:(.*?)\]\])"));
    const auto match =
        trigger.match(messages.isEmpty() ? QString() : messages.last()[QLatin1StringView("content")].toString());
    return FakeLlmScript::parse(match.hasMatch() ? match.captured(1) : m_always);
}

QByteArray FakeLlm::control(const QByteArray &path, const Seen &seen)
{
    const QString script = QString::fromUtf8(seen.body);
    if (path == "next")
        next(script,
             std::max(1,
                      QUrlQuery(QUrl(QString::fromUtf8(seen.path))).queryItemValue(QStringLiteral("times")).toInt()));
    else if (path == "always")
        always(script);
    else if (path == "release")
        release();
    else if (path == "reset")
        reset();
    if (path != "requests")
        return QJsonDocument(QJsonObject{{QStringLiteral("requests"), int(m_requests.size())},
                                         {QStringLiteral("running"), m_running},
                                         {QStringLiteral("peak"), m_peak},
                                         {QStringLiteral("held"), held()}})
            .toJson(QJsonDocument::Compact);
    QJsonArray all;
    for (const Seen &request : m_requests) {
        QJsonObject headers;
        for (auto it = request.headers.begin(); it != request.headers.end(); ++it)
            headers.insert(QString::fromUtf8(it.key()), QString::fromUtf8(it.value()));
        all.append(QJsonObject{{QStringLiteral("path"), QString::fromUtf8(request.path)},
                               {QStringLiteral("headers"), headers},
                               {QStringLiteral("body"), request.json()}});
    }
    return QJsonDocument(all).toJson(QJsonDocument::Compact);
}

void FakeLlm::began()
{
    m_peak = std::max(m_peak, ++m_running);
}

#include "FakeLlm.moc"
