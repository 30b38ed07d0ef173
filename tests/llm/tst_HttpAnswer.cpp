#include "llm/wire/HttpAnswer.h"

#include <QTest>

using namespace companion::llm;

namespace {

struct Read
{
    HttpAnswer answer;
    QByteArray body;
};

Read readInPieces(const QByteArray &bytes, qsizetype piece)
{
    Read read;
    for (qsizetype at = 0; at < bytes.size(); at += piece)
        read.body += read.answer.feed(QByteArrayView(bytes).sliced(at, std::min(piece, bytes.size() - at)));
    return read;
}

} // namespace

class HttpAnswerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void reads_an_answer_however_it_is_cut_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<bool>("kept");
        QTest::newRow("counted") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
                                 << QByteArray("hello") << true;
        QTest::newRow("nothing counted") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") << QByteArray()
                                         << true;
        QTest::newRow("the same length twice")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCONTENT-LENGTH: 2\r\n\r\nhi") << QByteArray("hi")
            << true;
        QTest::newRow("chunked") << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                               "5\r\nhello\r\n1;a=b\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
                                 << QByteArray("hello 0123456789") << true;
        QTest::newRow("line feeds alone")
            << QByteArray("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n") << QByteArray("hi") << true;
        QTest::newRow("no content") << QByteArray("HTTP/1.1 204 No Content\r\n\r\n") << QByteArray() << true;
        QTest::newRow("no reason phrase")
            << QByteArray("HTTP/1.1 500\r\nContent-Length: 1\r\n\r\nx") << QByteArray("x") << true;
        QTest::newRow("an interim answer first")
            << QByteArray("HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            << QByteArray("hi") << true;
        QTest::newRow("says that it closes")
            << QByteArray("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi") << QByteArray("hi")
            << false;
        QTest::newRow("1.0") << QByteArray("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi") << QByteArray("hi")
                             << false;
        QTest::newRow("1.0 that stays") << QByteArray(
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
                                        << QByteArray("hi") << true;
        QTest::newRow("more than it said")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi there") << QByteArray("hi") << false;
    }
    void reads_an_answer_however_it_is_cut()
    {
        QFETCH(QByteArray, bytes);
        for (qsizetype piece = 1; piece <= bytes.size(); ++piece) {
            const Read read = readInPieces(bytes, piece);
            QCOMPARE(read.answer.state(), HttpAnswer::State::Complete);
            QTEST(read.body, "body");
            QTEST(read.answer.keepsConnection(), "kept");
        }
    }

    void tells_status_and_headers()
    {
        const Read read = readInPieces("HTTP/1.1 429 Too Many\r\nretry-after:  7 \r\nContent-Length: 0\r\n\r\n", 3);
        QCOMPARE(read.answer.status(), 429);
        QCOMPARE(read.answer.header("Retry-After"), "7");
        QCOMPARE(read.answer.header("X-None"), QByteArray());
    }

    void has_no_status_before_the_head_is_whole()
    {
        const Read read = readInPieces("HTTP/1.1 200 OK\r\nContent-Le", 4);
        QVERIFY(!read.answer.hasHead());
        QCOMPARE(read.answer.status(), 0);
        QVERIFY(!read.answer.isUntouched());
        QVERIFY(HttpAnswer().isUntouched());
    }

    void breaks_on_what_is_no_answer_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        const QByteArray chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        QTest::newRow("another protocol") << QByteArray("SSH-2.0-OpenSSH_9.2\r\n");
        QTest::newRow("HTTP/2") << QByteArray("HTTP/2.0 200 OK\r\n");
        QTest::newRow("no status") << QByteArray("HTTP/1.1 OK\r\n\r\n");
        QTest::newRow("a status of four digits") << QByteArray("HTTP/1.1 2000 OK\r\n\r\n");
        QTest::newRow("a length below nothing") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n");
        QTest::newRow("two lengths") << QByteArray(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
        QTest::newRow("a length beyond all sense")
            << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999\r\n\r\n");
        QTest::newRow("compressed") << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
        QTest::newRow("a chunk without a size") << QByteArray(chunked + "hello\r\n");
        QTest::newRow("a chunk below nothing") << QByteArray(chunked + "-5\r\n");
        QTest::newRow("a chunk longer than it said") << QByteArray(chunked + "2\r\nhello\r\n");
        QTest::newRow("a size line without end") << QByteArray(chunked + "1;" + QByteArray(5'000, 'x'));
        QTest::newRow("a head without end")
            << QByteArray("HTTP/1.1 200 OK\r\n" + QByteArray("X: yyyyyyyyyyyyyyyyyyyy\r\n").repeated(4'000));
    }
    void breaks_on_what_is_no_answer()
    {
        QFETCH(QByteArray, bytes);
        for (const qsizetype piece : {qsizetype(1), qsizetype(7), bytes.size()}) {
            const Read read = readInPieces(bytes, piece);
            QCOMPARE(read.answer.state(), HttpAnswer::State::Broken);
            QVERIFY(*read.answer.whyBroken());
            QVERIFY(!read.answer.keepsConnection());
        }
    }

    void the_connections_end_completes_only_a_body_without_a_length_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<HttpAnswer::State>("state");
        QTest::newRow("to the end") << QByteArray("HTTP/1.1 200 OK\r\n\r\nhi") << HttpAnswer::State::Complete;
        QTest::newRow("counted") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi")
                                 << HttpAnswer::State::Broken;
        QTest::newRow("chunked") << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
                                 << HttpAnswer::State::Broken;
        QTest::newRow("before the last line")
            << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n") << HttpAnswer::State::Broken;
        QTest::newRow("within the head") << QByteArray("HTTP/1.1 200 OK\r\n") << HttpAnswer::State::Broken;
        QTest::newRow("nothing") << QByteArray() << HttpAnswer::State::Broken;
    }
    void the_connections_end_completes_only_a_body_without_a_length()
    {
        QFETCH(QByteArray, bytes);
        Read read = readInPieces(bytes, 1);
        read.answer.connectionEnded();
        QTEST(read.answer.state(), "state");
        QVERIFY(!read.answer.keepsConnection());
    }
};

Q_DECLARE_METATYPE(companion::llm::HttpAnswer::State)

QTEST_GUILESS_MAIN(HttpAnswerTest)
#include "tst_HttpAnswer.moc"
