#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <functional>
#include <memory>
#include <vector>

namespace companion::bench {

QByteArray requestBytes(const QByteArray &method, const QByteArray &path, const QByteArray &token = {},
                        const QJsonObject &body = {});

struct WholeAnswer
{
    int status = 0;
    QByteArray head;
    QByteArray body;
};
// One request on a connection of its own, blocking.
WholeAnswer ask(quint16 port, const QByteArray &request);

// Many plain connections of one process on one epoll, so that the clients cost as little as clients can. Bytes are
// handed over as they come; -1 bytes tell that the server has closed.
class Clients
{
public:
    using OnBytes = std::function<void(int client, const char *data, qsizetype size)>;

    explicit Clients(quint16 port);
    ~Clients();
    Clients(const Clients &) = delete;
    Clients &operator=(const Clients &) = delete;

    int connect(); // the new client's number
    void send(int client, const QByteArray &bytes);
    void poll(int timeout_ms, const OnBytes &onBytes);

private:
    quint16 m_port;
    int m_poll;
    std::vector<int> m_sockets;
};

// How an answer with a Content-Length, or a chunked one, is told to be complete.
class AnswerReader
{
public:
    // True when this piece ended the answer; then status() and head() are its own, and the next answer may begin.
    bool feed(const char *data, qsizetype size);
    int status() const { return m_status; }
    const QByteArray &head() const { return m_head; }
    const QByteArray &body() const { return m_body; }

private:
    QByteArray m_in;
    QByteArray m_head;
    QByteArray m_body;
    int m_status = 0;
};

} // namespace companion::bench
