#include "http/ConnectionGuard.h"

#include "common/Bug.h"
#include "http/ExchangeState.h"
#include "http/QtServer.h"
#include "http/RequestPipe.h"
#include "http/StreamWriter.h"
#include "ops/Log.h"

#include <QRandomGenerator>
#include <QScopeGuard>
#include <algorithm>
#include <limits>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace companion::http {

namespace {

constexpr qint64 never = std::numeric_limits<qint64>::max();
constexpr int clientLeft = 499;
constexpr qint64 mostDiscarded = 8 * 1024 * 1024; // of what a refused client goes on sending

bool isSaneId(const QByteArray &id)
{
    return !id.isEmpty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_'
            || c == '-';
    });
}

// The request as QtHttpServer shall see it: one way to say each thing, nothing of the connection, counted length.
QByteArray canonicalRequest(const Head &head, const QByteArray &body)
{
    static const QList<QByteArray> ofTheConnection{"connection", "keep-alive",        "upgrade",        "te",
                                                   "trailer",    "transfer-encoding", "content-length", "expect"};
    QByteArray out =
        methodName(head.method) + " " + (head.target == "*" ? QByteArray("/*") : head.target) + " HTTP/1.1\r\n";
    for (const auto &[name, value] : head.headers.all())
        if (!ofTheConnection.contains(name.toLower()))
            out += name + ": " + value + "\r\n";
    if (!body.isEmpty())
        out += "Content-Length: " + QByteArray::number(body.size()) + "\r\n";
    return out + "\r\n" + body;
}

} // namespace

ConnectionGuard::ConnectionGuard(ClientSocket *socket, Gate &gate, GateContext &context)
    : QObject(socket)
    , m_socket(socket)
    , m_gate(gate)
    , m_context(context)
    , m_peer(plainAddress(socket->peerAddress()))
    , m_reader({context.limits.headBytes, context.limits.bodyBytes})
{
    m_reader.bodyLimitFor = [this](const Head &head, const Target &target) -> qint64 {
        return m_context.router.bodyLimit(head.method, target.segments).value_or(m_context.limits.bodyBytes);
    };
    connect(socket, &ClientSocket::readyRead, this, &ConnectionGuard::onReadable);
    connect(socket, &ClientSocket::bytesWritten, this, &ConnectionGuard::onWritten);
    connect(socket, &ClientSocket::disconnected, this, &ConnectionGuard::onDisconnected);
    m_takenBy_ns = never;
    setDeadline(context.limits.idleDeadline_ms);
}

ConnectionGuard::~ConnectionGuard() = default;

RequestPipe *ConnectionGuard::makePipe()
{
    m_pipe = new RequestPipe(*m_socket, &m_gate);
    // Hung up by QtHttpServer itself: then it has no ear for this client any more.
    connect(m_pipe, &QAbstractSocket::disconnected, this, &ConnectionGuard::cut, Qt::QueuedConnection);
    return m_pipe;
}

void ConnectionGuard::turnAway()
{
    refuse({ErrorCode::Overloaded, QStringLiteral("There are too many connections.")});
}

// ---- reading

void ConnectionGuard::onReadable()
{
    if (m_phase == Phase::Closing) {
        m_discarded += m_socket->readAll().size();
        if (m_discarded > mostDiscarded)
            cut();
        return;
    }
    if (m_phase != Phase::Waiting)
        return; // stays in the socket's capped buffer
    m_reader.next();
    m_reader.feed(m_socket->readAll());
    countHeld();
    advance();
}

// Bodies on their way and answers that nobody takes count against one budget: ten thousand connections with a megabyte
// each would be the machine's whole memory.
void ConnectionGuard::countHeld()
{
    const auto held = m_phase == Phase::Gone ? 0 : m_reader.held() + m_request->body.size() + m_socket->bytesToWrite();
    m_context.heldBytes += held - std::exchange(m_held, held);
    if (m_context.heldBytes > m_context.limits.heldBytes && m_socket->bytesToWrite() > 0)
        m_gate.shedSoon();
}

void ConnectionGuard::advance()
{
    using enum RequestReader::State;
    const auto state = m_reader.state();
    if (m_headAt_ns == 0 && (state == Body || state == Complete)) {
        m_headAt_ns = Gate::now_ns();
        setDeadline(m_context.limits.bodyDeadline_ms);
    } else if (state == Head && !m_headBegun) {
        m_headBegun = true;
        setDeadline(m_context.limits.headDeadline_ms);
    }
    if (state == Refused)
        return refuse(m_reader.refusal());
    if (m_context.heldBytes > m_context.limits.heldBytes)
        return refuse({ErrorCode::Overloaded, QStringLiteral("There are too many uploads at this moment.")});
    if (m_reader.takeContinue())
        write("HTTP/1.1 100 Continue\r\n\r\n");
    if (state == Complete)
        requestComplete();
}

QByteArray ConnectionGuard::makeRequestId() const
{
    const auto sent = m_reader.head().headers.value("X-Request-Id");
    if (isSaneId(sent))
        return sent;
    static const QByteArray process = QByteArray::number(QRandomGenerator::system()->generate64(), 36);
    static quint64 count = 0;
    return process + "-" + QByteArray::number(++count, 36);
}

Request ConnectionGuard::makeRequest() const
{
    const auto &head = m_reader.head();
    Request request;
    request.method = head.method;
    request.segments = m_reader.target().segments;
    request.path = head.target == "*" ? QStringLiteral("*") : m_reader.target().path();
    request.query = m_reader.target().query;
    request.headers = head.headers;
    request.peer = m_context.proxies.clientOf(m_peer, head.headers);
    request.id = makeRequestId();
    request.receivedAt_ns = m_headAt_ns;
    return request;
}

void ConnectionGuard::requestComplete()
{
    m_request = std::make_shared<Request>(makeRequest());
    m_minorVersion = m_reader.head().minorVersion;
    m_keepAlive = m_reader.head().keepAlive && !m_context.draining;
    m_phase = Phase::Handling;
    m_deadline_ns = never;
    m_bytesOut = 0;
    ++m_exchange;
    if (m_request->peer != m_peer) {
        if (!m_gate.admitForwarded(m_request->peer))
            return refuse({ErrorCode::Overloaded, QStringLiteral("There are too many requests of this address.")});
        m_forwardedFor = m_request->peer;
    }
    m_putting = true;
    const auto body = m_reader.takeBody();
    m_bodySize = body.size();
    const bool handedOn = m_pipe && m_context.parser->put(*this, *m_pipe, canonicalRequest(m_reader.head(), body));
    m_putting = false;
    if (m_phase != Phase::Handling)
        m_token.reset(); // answered at once; only now is QtHttpServer out of this request
    else if (!handedOn)
        refuse({ErrorCode::Internal, QStringLiteral("An error on our side.")});
}

void ConnectionGuard::parsed(const QByteArray &body, std::shared_ptr<void> token)
{
    m_token = std::move(token);
    m_request->body = body;
    if (body.size() != m_bodySize) // the two parsers disagree: nobody's data may be acted upon
        return refuse({ErrorCode::Internal, QStringLiteral("An error on our side.")});
    m_context.router.dispatch(Exchange(std::make_shared<Exchange::State>(this, m_exchange, m_request)));
}

// ---- answering

bool ConnectionGuard::isOpen(quint64 exchange) const
{
    return m_phase == Phase::Handling && exchange == m_exchange && m_socket->isOpen();
}

AnswerFrame ConnectionGuard::frame() const
{
    return {m_request->method, m_minorVersion, m_keepAlive && !m_context.draining, m_request->id};
}

QByteArray ConnectionGuard::replyBytes(Reply &reply) const
{
    try {
        m_context.cors.apply(*m_request, reply.headers);
        return writeReply(reply, frame());
    } catch (const Bug &bug) {
        ops::log(ops::Level::Error, "unsafe_reply", m_request->id, {{"what", QString::fromUtf8(bug.what())}});
        reply = Reply::problem({ErrorCode::Internal, QStringLiteral("An error on our side.")}, m_request->id);
        return writeReply(reply, frame());
    }
}

void ConnectionGuard::send(quint64 exchange, Reply reply)
{
    if (!isOpen(exchange))
        return;
    const auto bytes = replyBytes(reply);
    m_status = reply.status;
    write(bytes);
    if (m_phase == Phase::Handling)
        endExchange();
}

void ConnectionGuard::sendFile(quint64 exchange, Reply reply, FileBody file)
{
    if (!isOpen(exchange) || m_stream || m_file)
        return;
    QByteArray head;
    try {
        m_context.cors.apply(*m_request, reply.headers);
        head = writeReplyHead(reply, file.size, frame());
    } catch (const Bug &bug) {
        ops::log(ops::Level::Error, "unsafe_reply", m_request->id, {{"what", QString::fromUtf8(bug.what())}});
        return send(exchange,
                    Reply::problem({ErrorCode::Internal, QStringLiteral("An error on our side.")}, m_request->id));
    }
    m_status = reply.status;
    if (m_request->method == Method::Head)
        file.at = file.size;
    m_file = std::move(file);
    write(head);
    startTaking(m_file->size - m_file->at);
    writeFile();
}

// As much as the client has taken: what waits for it is never more than two pieces. A file that cannot be read to its
// end cannot be told any more: the connection is cut, and the client knows by the missing bytes.
void ConnectionGuard::writeFile()
{
    constexpr qint64 piece = 65'536;
    if (std::exchange(m_writingFile, true)) // what the kernel takes at once is told from inside write()
        return;
    const auto through = qScopeGuard([this] { m_writingFile = false; });
    for (int pieces = 0; m_file && m_file->at < m_file->size && m_socket->bytesToWrite() < piece; ++pieces) {
        if (pieces == 8) { // a client as fast as we are: the others' turn first
            QMetaObject::invokeMethod(this, &ConnectionGuard::writeFile, Qt::QueuedConnection);
            return;
        }
        QByteArray bytes(std::min(piece, m_file->size - m_file->at), Qt::Uninitialized);
        const auto count = ::pread(m_file->descriptor, bytes.data(), size_t(bytes.size()), m_file->at);
        if (count <= 0) {
            ops::log(ops::Level::Error, "file_unreadable", m_request->id);
            m_file.reset();
            QMetaObject::invokeMethod(this, &ConnectionGuard::cut, Qt::QueuedConnection);
            return;
        }
        bytes.truncate(count);
        m_file->at += count;
        write(bytes);
    }
    if (m_file && m_file->at == m_file->size) {
        m_file.reset();
        if (m_phase == Phase::Handling)
            endExchange();
    } else if (m_file && m_socket->bytesToWrite() > 0) {
        setDeadline(m_context.limits.idleDeadline_ms); // nothing may have moved, and then nothing tells
    }
}

EventStream *ConnectionGuard::openStream(quint64 exchange, Headers headers)
{
    if (!isOpen(exchange) || m_stream)
        return nullptr;
    if (m_minorVersion == 0)
        m_keepAlive = false; // the end of the body is the end of the connection
    QByteArray head;
    try {
        m_context.cors.apply(*m_request, headers);
        head = writeStreamHead(headers, frame());
    } catch (const Bug &bug) {
        ops::log(ops::Level::Error, "unsafe_reply", m_request->id, {{"what", QString::fromUtf8(bug.what())}});
        send(exchange, Reply::problem({ErrorCode::Internal, QStringLiteral("An error on our side.")}, m_request->id));
        return nullptr;
    }
    m_status = 200;
    m_stream = new StreamWriter(*this, m_minorVersion == 1, m_request->method == Method::Head);
    m_pingAt_ns = Gate::now_ns() + m_context.limits.pingInterval_ms * 1'000'000LL;
    write(head);
    return m_stream;
}

// A stream's bytes go out with the next turn of the loop, many events in one write; a reader who lets them pile up is
// dropped, but from the loop, so that gone() never comes from inside a send().
void ConnectionGuard::writeStream(const QByteArray &data)
{
    if (!isOpen(m_exchange))
        return;
    m_socket->writeLater(data);
    m_bytesOut += data.size();
    if (m_socket->bytesToWrite() > m_context.limits.pendingBytes)
        m_socket->flush();
    countHeld();
    if (m_socket->bytesToWrite() > m_context.limits.pendingBytes)
        QMetaObject::invokeMethod(this, &ConnectionGuard::cut, Qt::QueuedConnection);
    else if (m_deadline_ns == never)
        setDeadline(m_context.limits.idleDeadline_ms); // until all is taken, see onWritten
}

void ConnectionGuard::finishStream()
{
    if (m_phase == Phase::Handling)
        endExchange();
}

void ConnectionGuard::write(const QByteArray &bytes)
{
    m_socket->write(bytes);
    m_bytesOut += bytes.size();
    countHeld();
}

void ConnectionGuard::report(int status)
{
    if (m_context.answered)
        m_context.answered(*m_request, status, m_headAt_ns ? Gate::now_ns() - m_headAt_ns : 0, m_bytesOut);
}

void ConnectionGuard::endExchange()
{
    report(m_status);
    releaseClient();
    m_request = std::make_shared<Request>();
    countHeld();
    if (!m_putting)
        m_token.reset();
    if (!m_keepAlive || m_context.draining)
        return close();
    m_phase = Phase::Flushing;
    startTaking(m_socket->bytesToWrite());
    if (m_socket->bytesToWrite() == 0)
        waitForRequest();
}

void ConnectionGuard::waitForRequest()
{
    m_phase = Phase::Waiting;
    m_takenBy_ns = never;
    m_headAt_ns = 0;
    m_headBegun = false;
    setDeadline(m_context.limits.idleDeadline_ms);
    // What has come meanwhile is not read from here: this may be inside QtHttpServer's parser, or deep in a handler. It
    // also bounds the stack when a client has pipelined hundreds of requests.
    if (m_reader.waiting() > 0 || m_socket->bytesAvailable() > 0)
        QMetaObject::invokeMethod(this, &ConnectionGuard::onReadable, Qt::QueuedConnection);
}

void ConnectionGuard::onWritten()
{
    countHeld();
    if (m_file)
        writeFile();
    if (m_socket->bytesToWrite() > 0) {
        if (m_phase != Phase::Waiting && !(m_phase == Phase::Closing && m_writingEnded))
            setDeadline(m_context.limits.idleDeadline_ms); // it moves
    } else if (m_phase == Phase::Handling) {
        m_deadline_ns = never;
    } else if (m_phase == Phase::Flushing) {
        waitForRequest();
    } else if (m_phase == Phase::Closing) {
        endWriting();
    }
}

// ---- refusing and closing

void ConnectionGuard::refuse(const Refusal &refusal)
{
    if (m_phase == Phase::Closing || m_phase == Phase::Gone)
        return;
    if (m_request->id.isEmpty()) {
        m_request = std::make_shared<Request>(makeRequest());
        m_minorVersion = 1;
    }
    m_keepAlive = false;
    auto reply = Reply::problem(refusal, m_request->id);
    m_phase = Phase::Handling; // no reading between here and the end
    write(replyBytes(reply));
    report(reply.status);
    close();
}

// A connection closed while the client is still sending is reset by the kernel, and the reset can overtake the answer.
// So: end our side, go on reading for a little, and only then close.
void ConnectionGuard::close()
{
    if (m_phase == Phase::Gone)
        return;
    m_phase = Phase::Closing;
    startTaking(m_socket->bytesToWrite());
    if (m_socket->bytesToWrite() == 0)
        endWriting();
    m_socket->readAll();
}

void ConnectionGuard::endWriting()
{
    if (m_writingEnded || !m_socket->isOpen())
        return;
    m_writingEnded = true;
    m_takenBy_ns = never;
    ::shutdown(int(m_socket->descriptor()), SHUT_WR);
    setDeadline(m_context.draining ? m_context.limits.lingerDeadline_ms / 10 : m_context.limits.lingerDeadline_ms);
}

void ConnectionGuard::cut()
{
    if (m_phase == Phase::Gone)
        return;
    m_socket->abort();
    onDisconnected(); // where the socket was not connected any more, abort() says nothing
}

void ConnectionGuard::onDisconnected()
{
    if (m_phase == Phase::Gone)
        return;
    const bool unanswered = m_phase == Phase::Handling;
    m_phase = Phase::Gone;
    if (unanswered && !m_request->id.isEmpty())
        report(m_stream ? m_status : clientLeft);
    m_file.reset();
    releaseClient();
    countHeld();
    m_token.reset();
    if (m_pipe)
        m_pipe->hangUp();
    m_gate.connectionEnded(this, m_peer);
    if (m_stream)
        m_stream->connectionGone();
    m_socket->deleteLater();
}

void ConnectionGuard::drain()
{
    using enum RequestReader::State;
    const auto state = m_reader.state(); // Complete: the last request's, answered
    if (m_phase == Phase::Waiting && (state == Idle || state == Complete))
        close();
}

// ---- deadlines

void ConnectionGuard::setDeadline(int milliseconds)
{
    m_deadline_ns = std::min(Gate::now_ns() + milliseconds * 1'000'000LL, m_takenBy_ns);
}

// Taking a byte now and then is not enough: the deadline moves with each, but not beyond what the slowest line needs.
void ConnectionGuard::startTaking(qint64 bytes)
{
    const auto idle_ns = m_context.limits.idleDeadline_ms * 1'000'000LL;
    const auto taking_ns = bytes * 1'000'000'000LL / m_context.limits.slowestRead_Bps;
    m_takenBy_ns = Gate::now_ns() + idle_ns + taking_ns;
    setDeadline(m_context.limits.idleDeadline_ms);
}

void ConnectionGuard::releaseClient()
{
    if (!m_forwardedFor.isNull())
        m_gate.forwardedEnded(std::exchange(m_forwardedFor, {}));
}

void ConnectionGuard::tick(qint64 now_ns)
{
    if (m_stream && m_phase == Phase::Handling && now_ns >= m_pingAt_ns) {
        m_pingAt_ns = now_ns + m_context.limits.pingInterval_ms * 1'000'000LL;
        m_stream->comment("ping");
    }
    if (now_ns >= m_deadline_ns)
        deadlinePassed();
}

void ConnectionGuard::deadlinePassed()
{
    using enum RequestReader::State;
    const auto state = m_reader.state();
    if (m_phase == Phase::Waiting && (state == Head || state == Body))
        return refuse({ErrorCode::RequestTimeout, QStringLiteral("The request did not arrive in time.")});
    if (m_phase == Phase::Waiting)
        return close();
    cut();
}

} // namespace companion::http
