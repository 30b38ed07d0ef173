// The gate's own socket: what is kept while a client does not read, and when it says so.
#include "http/ClientSocket.h"

#include <QSignalSpy>
#include <QTest>
#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace companion::http;

namespace {

// A connection whose other end is ours to read from, or to leave.
class Pair
{
public:
    Pair()
    {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0)
            qFatal("no socket pair");
        m_far = ends[1];
        ::fcntl(m_far, F_SETFL, O_NONBLOCK);
        socket = std::make_unique<ClientSocket>(ends[0], 1024, nullptr);
    }
    ~Pair() { leave(); }
    Pair(const Pair &) = delete;
    Pair &operator=(const Pair &) = delete;

    QByteArray read() const
    {
        QByteArray all;
        std::array<char, 65536> buffer{};
        for (auto size = ::recv(m_far, buffer.data(), buffer.size(), 0); size > 0;
             size = ::recv(m_far, buffer.data(), buffer.size(), 0))
            all.append(buffer.data(), size);
        return all;
    }
    void leave()
    {
        if (m_far >= 0)
            ::close(m_far);
        m_far = -1;
    }

    std::unique_ptr<ClientSocket> socket;

private:
    int m_far = -1;
};

QByteArray piece(int n)
{
    return QByteArray("data: ") + QByteArray::number(n) + ' ' + QByteArray(390, 'x') + "\n\n";
}

} // namespace

class tst_ClientSocket : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void few_pieces_go_with_the_next_turn_of_the_loop();
    void many_pieces_within_a_turn_do_not_pile_up();
    void what_went_at_once_is_told_with_the_next_turn();
    void a_client_who_does_not_read_gets_all_of_it_later_in_order();
    void a_client_who_left_is_told_with_the_next_turn_and_not_from_inside_a_write();
};

void tst_ClientSocket::few_pieces_go_with_the_next_turn_of_the_loop()
{
    Pair pair;
    pair.socket->writeLater("one ");
    pair.socket->writeLater("two");
    QCOMPARE(pair.read(), QByteArray());
    QCoreApplication::processEvents();
    QCOMPARE(pair.read(), QByteArray("one two"));
}

void tst_ClientSocket::many_pieces_within_a_turn_do_not_pile_up()
{
    Pair pair;
    QByteArray expected, seen;
    for (int i = 0; i < 1000; ++i) {
        pair.socket->writeLater(piece(i));
        expected += piece(i);
        QVERIFY2(pair.socket->bytesToWrite() < 8 * 1024, qPrintable(QString::number(pair.socket->bytesToWrite())));
        seen += pair.read();
    }
    QCoreApplication::processEvents();
    QCOMPARE(seen + pair.read(), expected);
}

void tst_ClientSocket::what_went_at_once_is_told_with_the_next_turn()
{
    Pair pair;
    const QSignalSpy written(pair.socket.get(), &ClientSocket::bytesWritten);
    for (int i = 0; i < 100; ++i)
        pair.socket->writeLater(piece(i));
    QCOMPARE(written.size(), 0);
    QCoreApplication::processEvents();
    QCOMPARE(written.size(), 1);
}

void tst_ClientSocket::a_client_who_does_not_read_gets_all_of_it_later_in_order()
{
    Pair pair;
    QByteArray expected;
    for (int i = 0; i < 5000; ++i) {
        pair.socket->writeLater(piece(i));
        expected += piece(i);
        if (i % 100 == 0)
            QCoreApplication::processEvents();
    }
    QVERIFY(pair.socket->bytesToWrite() > 0);
    QByteArray seen;
    for (int i = 0; i < 10'000 && seen.size() < expected.size(); ++i) {
        seen += pair.read();
        QCoreApplication::processEvents();
    }
    QVERIFY(seen == expected);
    QCOMPARE(pair.socket->bytesToWrite(), 0);
}

void tst_ClientSocket::a_client_who_left_is_told_with_the_next_turn_and_not_from_inside_a_write()
{
    Pair pair;
    const QSignalSpy gone(pair.socket.get(), &ClientSocket::disconnected);
    pair.leave();
    for (int i = 0; i < 100; ++i)
        pair.socket->writeLater(piece(i));
    QCOMPARE(gone.size(), 0);
    QCoreApplication::processEvents();
    QCOMPARE(gone.size(), 1);
    QVERIFY(!pair.socket->isOpen());
}

QTEST_GUILESS_MAIN(tst_ClientSocket)
#include "tst_ClientSocket.moc"
