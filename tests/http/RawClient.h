#pragma once

#include "http/Server.h"

#include <QElapsedTimer>
#include <QTcpSocket>
#include <QTest>

// A client that says exactly the bytes it is told, and a server to say them to. Both live in the test's one thread.
namespace companion::http::test {

struct Answered
{
    int status = 0;
    Headers headers;
    QByteArray body;
};

class RawClient
{
public:
    explicit RawClient(quint16 port, const QHostAddress &host = QHostAddress::LocalHost)
    {
        m_socket.connectToHost(host, port);
        m_socket.waitForConnected(5'000);
        QObject::connect(&m_socket, &QIODevice::readyRead, &m_socket, [this] { m_in += m_socket.readAll(); });
    }
    void say(const QByteArray &bytes)
    {
        m_socket.write(bytes);
        m_socket.flush();
    }
    QTcpSocket &socket() { return m_socket; }
    const QByteArray &raw() const { return m_in; }
    bool isClosed() const { return m_socket.state() == QAbstractSocket::UnconnectedState; }
    bool waitClosed(int wait_ms = 5'000)
    {
        return waitFor([this] { return isClosed(); }, wait_ms);
    }
    bool waitRaw(const QByteArray &needle, int wait_ms = 5'000)
    {
        return waitFor([&] { return m_in.contains(needle); }, wait_ms);
    }
    // The next whole answer; status 0 where none came. `head`: it answers HEAD.
    Answered next(int wait_ms = 5'000, bool head = false)
    {
        Answered answer;
        waitFor([&] { return take(answer, head); }, wait_ms);
        return answer;
    }
    static bool waitFor(const std::function<bool()> &done, int wait_ms)
    {
        QElapsedTimer timer;
        timer.start();
        while (!done()) {
            if (timer.elapsed() > wait_ms)
                return false;
            QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 20);
            QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        }
        return true;
    }

private:
    bool take(Answered &answer, bool head)
    {
        const auto end = m_in.indexOf("\r\n\r\n");
        if (end < 0)
            return false;
        Answered found;
        const auto lines = m_in.first(end).split('\n');
        found.status = lines.first().mid(9, 3).toInt();
        for (const auto &line : lines.sliced(1))
            found.headers.add(line.first(line.indexOf(':')), line.sliced(line.indexOf(':') + 1).trimmed());
        qsizetype taken = end + 4;
        if (!head && found.headers.value("Transfer-Encoding") == "chunked") {
            for (;;) {
                const auto line = m_in.indexOf("\r\n", taken);
                if (line < 0)
                    return false;
                const auto size = m_in.mid(taken, line - taken).toLongLong(nullptr, 16);
                if (m_in.size() < line + 2 + size + 2)
                    return false;
                found.body += m_in.mid(line + 2, size);
                taken = line + 2 + size + 2;
                if (size == 0)
                    break;
            }
        } else if (!head && found.status >= 200) {
            const auto length = found.headers.value("Content-Length").toLongLong();
            if (m_in.size() - taken < length)
                return false;
            found.body = m_in.mid(taken, length);
            taken += length;
        }
        m_in.remove(0, taken);
        answer = found;
        return true;
    }

    QTcpSocket m_socket;
    QByteArray m_in;
};

} // namespace companion::http::test
