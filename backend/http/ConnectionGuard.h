#pragma once

#include "http/ClientSocket.h"
#include "http/Gate.h"
#include "http/ReplyWriter.h"
#include "http/RequestReader.h"

#include <QPointer>

namespace companion::http {

class RequestPipe;
class StreamWriter;

// What is left of a body that comes out of a file.
struct FileBody
{
    int descriptor = -1;
    qint64 at = 0;
    qint64 size = 0;
    std::shared_ptr<void> owner = {}; // of the descriptor
};

// Stands on one connection: reads and checks its bytes, hands one whole request after the other to QtHttpServer,
// writes the one answer to each, and keeps the deadlines. A child of the socket. While an exchange is open nothing is
// read beyond Limits::parkedBytes, so pipelined requests are answered in their order and cost no memory.
class ConnectionGuard : public QObject
{
    Q_OBJECT
public:
    ConnectionGuard(ClientSocket *socket, Gate &gate, GateContext &context);
    ~ConnectionGuard() override;

    RequestPipe *makePipe();
    void turnAway(); // answers 503 and closes, without reading
    void parsed(const QByteArray &body, std::shared_ptr<void> token); // QtHttpServer's parser is through
    void tick(qint64 now_ns);
    void drain();
    void cut(); // at once, without another word
    qint64 pendingBytes() const { return m_socket->bytesToWrite(); } // of answers that the client has not taken

    // For Exchange. A number that is not the open exchange's does nothing.
    bool isOpen(quint64 exchange) const;
    void send(quint64 exchange, Reply reply);
    void sendFile(quint64 exchange, Reply reply, FileBody file);
    EventStream *openStream(quint64 exchange, Headers headers);

    // For StreamWriter.
    void writeStream(const QByteArray &data);
    void finishStream();

private:
    enum class Phase {
        Waiting,  // for a request, or for the rest of one
        Handling, // the exchange is open
        Flushing, // its answer is on the way to a client who takes it slowly
        Closing,  // the last answer is given; the client may still be sending
        Gone,
    };

    void onReadable();
    void onWritten();
    void onDisconnected();
    void advance();
    void requestComplete();
    Request makeRequest() const;
    QByteArray makeRequestId() const;
    void refuse(const Refusal &refusal);
    void write(const QByteArray &bytes);
    void writeFile();
    void endExchange();
    void afterAnswer();
    void close();
    void endWriting();
    void deadlinePassed();
    void setDeadline(int milliseconds);
    void startTaking(qint64 bytes);
    void releaseClient();
    void countHeld();
    void waitForRequest();
    AnswerFrame frame() const;
    QByteArray replyBytes(Reply &reply) const;
    void report(int status);

    ClientSocket *m_socket;
    Gate &m_gate;
    GateContext &m_context;
    QHostAddress m_peer;
    QPointer<RequestPipe> m_pipe;
    QPointer<StreamWriter> m_stream;
    std::optional<FileBody> m_file; // being written
    bool m_writingFile = false;
    std::shared_ptr<void> m_token; // 6.5+: QtHttpServer's responder
    RequestReader m_reader;
    Phase m_phase = Phase::Waiting;
    bool m_putting = false; // inside QtHttpServer's parser
    bool m_writingEnded = false;
    bool m_keepAlive = true;
    bool m_headBegun = false;
    quint64 m_exchange = 0;
    std::shared_ptr<Request> m_request = std::make_shared<Request>(); // of the open exchange
    int m_minorVersion = 1;
    int m_status = 0;
    qint64 m_bytesOut = 0;
    qsizetype m_bodySize = 0;
    qint64 m_discarded = 0;
    qint64 m_held = 0; // this connection's part of GateContext::heldBytes
    qint64 m_headAt_ns = 0;
    qint64 m_deadline_ns = 0;
    qint64 m_takenBy_ns = 0; // the answer's last byte; never, while it is being made
    qint64 m_pingAt_ns = 0;
    QHostAddress m_forwardedFor; // counted by the gate until the answer's end
};

} // namespace companion::http
