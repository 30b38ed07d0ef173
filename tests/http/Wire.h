#pragma once

#include "http/Server.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QRegularExpression>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

// Many bare sockets of one thread, beside the server's event loop in the same thread: the bytes of each arrive in just
// the pieces they were said in.
namespace companion::http::test {

inline void turnTheLoop(int times = 1)
{
    for (int i = 0; i < times; ++i) {
        QCoreApplication::processEvents();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
}

class Wire
{
public:
    explicit Wire(quint16 port, quint32 from = INADDR_LOOPBACK)
        : m_fd(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(from);
        if (from != INADDR_LOOPBACK)
            (void)::bind(m_fd, reinterpret_cast<sockaddr *>(&address), sizeof address);
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        m_connected = ::connect(m_fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
        ::fcntl(m_fd, F_SETFL, O_NONBLOCK);
    }
    Wire(Wire &&other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
        , m_in(std::move(other.m_in))
        , m_connected(other.m_connected)
        , m_closed(other.m_closed)
    {
    }
    ~Wire()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    bool isConnected() const { return m_connected; }
    bool say(const QByteArray &bytes)
    {
        return bytes.isEmpty() || ::send(m_fd, bytes.constData(), size_t(bytes.size()), MSG_NOSIGNAL) == bytes.size();
    }
    // Takes what is there.
    const QByteArray &heard()
    {
        char buffer[16 * 1024];
        while (!m_closed) {
            const auto length = ::recv(m_fd, buffer, sizeof buffer, 0);
            if (length > 0)
                m_in.append(buffer, length);
            else if (length == 0 || errno != EAGAIN)
                m_closed = true;
            else
                break;
        }
        return m_in;
    }
    bool isClosed()
    {
        heard();
        return m_closed;
    }

    // Cut by the other side, which is seen without reading what lies there.
    bool isReset() const
    {
        pollfd polled = {m_fd, 0, 0};
        return ::poll(&polled, 1, 0) == 1 && (polled.revents & POLLERR);
    }

private:
    int m_fd;
    QByteArray m_in;
    bool m_connected = false;
    bool m_closed = false;
};

// What a client has been told, without what differs from answer to answer.
struct Told
{
    QByteArray bytes;
    bool closed = false;
    bool operator==(const Told &) const = default;

    QList<int> statuses() const
    {
        QList<int> all;
        static const QRegularExpression line(QStringLiteral("HTTP/1\\.1 (\\d\\d\\d) "));
        for (auto found = line.globalMatch(QString::fromLatin1(bytes)); found.hasNext();)
            all.append(found.next().captured(1).toInt());
        return all;
    }
};

// Takes out every `from` … `until`; where `until` is missing, nothing.
inline void cutOut(QByteArray &text, QByteArrayView from, QByteArrayView until)
{
    for (auto at = text.indexOf(from); at >= 0; at = text.indexOf(from, at)) {
        const auto end = text.indexOf(until, at + from.size());
        if (end < 0)
            return;
        text.remove(at, end + until.size() - at);
    }
}

// Without 100 Continue too: whether it comes depends on how much of the body was there.
inline Told toldTo(Wire &wire)
{
    QByteArray text = wire.heard();
    cutOut(text, "Date: ", "\r\n");
    cutOut(text, "X-Request-Id: ", "\r\n");
    cutOut(text, "Content-Length: ", "\r\n");
    cutOut(text, "\"request_id\":\"", "\",");
    cutOut(text, "HTTP/1.1 100 Continue\r\n", "\r\n");
    return {text, wire.isClosed()};
}

// Waits until nothing more comes: for a while, and for some turns of the loop, since on a busy machine this process may
// just not have been running for that while.
inline Told settle(Wire &wire, int quiet_ms = 25, int most_ms = 30'000)
{
    QElapsedTimer since, all;
    since.start();
    all.start();
    auto last = wire.heard().size();
    for (int turns = 0; all.elapsed() < most_ms && (since.elapsed() < quiet_ms || turns < 12); ++turns) {
        QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 5);
        const auto now = wire.isClosed() ? -1 : wire.heard().size();
        if (now != last) {
            since.restart();
            turns = 0;
        }
        last = now;
    }
    return toldTo(wire);
}

// Waits until every one has been told what it should have been; whether more comes behind it is for the caller to see.
inline void settleAll(std::vector<Wire> &wires, const Told &expected, int most_ms = 30'000)
{
    QElapsedTimer timer;
    timer.start();
    std::size_t done = 0; // of the front
    while (done < wires.size() && timer.elapsed() < most_ms) {
        turnTheLoop();
        while (done < wires.size() && toldTo(wires[done]) == expected)
            ++done;
    }
}

// One conversation: each step's bytes are said at once, its answer awaited.
inline QList<Told> conversation(quint16 port, const QList<QByteArray> &steps)
{
    Wire wire(port);
    QList<Told> told;
    for (const auto &step : steps) {
        (void)wire.say(step);
        told.append(settle(wire));
    }
    return told;
}

// The same conversation once for every place where a step's bytes can be cut in two, with the server reading in
// between. Returns what was different, if anything.
inline QString differenceWhenCut(quint16 port, const QList<QByteArray> &steps, const QList<Told> &expected,
                                 int *cutsMade = nullptr, qsizetype atOnce = 64)
{
    for (qsizetype which = 0; which < steps.size(); ++which)
        for (qsizetype begin = 1; begin < steps.at(which).size(); begin += atOnce) {
            std::vector<Wire> wires;
            const auto end = std::min(begin + atOnce, steps.at(which).size());
            for (auto cut = begin; cut < end; ++cut)
                wires.emplace_back(port);
            for (qsizetype step = 0; step < steps.size(); ++step) {
                const auto &bytes = steps.at(step);
                if (step == which) {
                    for (auto cut = begin; cut < end; ++cut)
                        (void)wires[std::size_t(cut - begin)].say(bytes.first(cut));
                    turnTheLoop(4); // accepted, and read
                }
                for (auto cut = begin; cut < end; ++cut)
                    (void)wires[std::size_t(cut - begin)].say(step == which ? bytes.sliced(cut) : bytes);
                settleAll(wires, expected.at(step));
            }
            turnTheLoop(3);
            for (auto cut = begin; cut < end; ++cut) {
                if (cutsMade)
                    ++*cutsMade;
                const auto told = toldTo(wires[std::size_t(cut - begin)]);
                if (told != expected.last())
                    return QStringLiteral("step %1 cut at %2: closed %3\n%4\nexpected: closed %5\n%6")
                        .arg(which)
                        .arg(cut)
                        .arg(told.closed)
                        .arg(QString::fromLatin1(told.bytes))
                        .arg(expected.last().closed)
                        .arg(QString::fromLatin1(expected.last().bytes));
            }
        }
    return {};
}

} // namespace companion::http::test
