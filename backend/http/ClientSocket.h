#pragma once

#include <QHostAddress>
#include <QObject>
#include <QSocketNotifier>
#include <memory>

namespace companion::http {

// A client's TCP connection, in place of QTcpSocket, whose two buffers of 32 KiB each stay with every connection and
// whose write notifier goes on and off with every answer (docs/performance.md). No buffer while nothing is on its way.
// Loop thread.
class ClientSocket : public QObject
{
    Q_OBJECT
public:
    // Takes the descriptor over. At most `readAhead` bytes are read before somebody takes them: the rest waits in the
    // kernel, and then at the client.
    ClientSocket(qintptr descriptor, qsizetype readAhead, QObject *parent);
    ~ClientSocket() override;

    bool isOpen() const { return m_state == State::Open; }
    qintptr descriptor() const { return m_descriptor; } // -1 when closed
    QHostAddress peerAddress() const { return m_peer; }
    quint16 peerPort() const { return m_peerPort; }

    QByteArray readAll();
    qsizetype bytesAvailable() const { return m_in.size(); }

    // At once, as far as the kernel takes it; the rest when it can.
    void write(const QByteArray &bytes);
    // With the next turn of the loop, many pieces in one go; so many that they are worth a call of their own go at
    // once. Nothing is emitted from inside it.
    void writeLater(const QByteArray &bytes);
    void flush();
    qsizetype bytesToWrite() const { return m_out.size() - m_outAt; }

    void abort();

Q_SIGNALS:
    void readyRead();
    void bytesWritten();
    // Also when the client has ended its side, once what was written before has gone out.
    void disconnected();

private:
    enum class State { Open, Ending, Closed };
    void read();
    bool push();
    void watchWriting();
    void lose();

    State m_state = State::Open;
    int m_descriptor;
    const qsizetype m_readAhead;
    QHostAddress m_peer;
    quint16 m_peerPort = 0;
    QByteArray m_in;
    QByteArray m_out;
    qsizetype m_outAt = 0; // of m_out, gone out
    bool m_flushPosted = false;
    bool m_moved = false; // since bytesWritten() was said
    QSocketNotifier m_readable;
    std::unique_ptr<QSocketNotifier> m_writable; // while the kernel takes no more
};

} // namespace companion::http
