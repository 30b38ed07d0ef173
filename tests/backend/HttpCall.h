#pragma once

#include "backend/TestBackend.h"

namespace companion::test {

// One request on a socket of its own: the test says which bytes go and when, and sees the answer's as they come.
class HttpCall : public QObject
{
    Q_OBJECT
public:
    // The bytes of a request that asks to close after it.
    static QByteArray compose(const QByteArray &method, const QString &path, const QByteArray &body,
                              const QByteArray &token, const QMap<QByteArray, QByteArray> &headers = {});
    static QByteArray compose(const QString &path, const QJsonObject &body, const Person &person,
                              const QMap<QByteArray, QByteArray> &headers = {});

    // Connects and says these bytes.
    HttpCall(quint16 port, const QByteArray &bytes, QObject *parent = nullptr);

    void say(const QByteArray &bytes);
    void leave(); // the connection is reset
    void hangUp(); // closed as a polite client does

    bool isOver() const { return m_over; } // the connection has ended
    bool isWhole() const; // the answer has come to its end, by its own framing
    bool await(int wait_ms = 30'000); // until it is over
    bool awaitBytes(qsizetype count, int wait_ms = 30'000);
    bool awaitText(const QByteArray &text, int wait_ms = 30'000);

    qsizetype received() const { return m_in.size(); }
    const QByteArray &raw() const { return m_in; }
    Answer answer() const; // as far as it has come; status 0 before its head
    QList<Event> events() const { return TestBackend::eventsOf(answer().body); }
    QByteArray messageId() const { return answer().headers.value("x-message-id"); }
    bool isConnected() const { return m_socket.state() == QAbstractSocket::ConnectedState; }

Q_SIGNALS:
    void progressed();
    void over();

private:
    void end();
    bool awaitThat(const std::function<bool()> &that, int wait_ms);

    QTcpSocket m_socket;
    QByteArray m_in;
    bool m_over = false;
};

} // namespace companion::test
