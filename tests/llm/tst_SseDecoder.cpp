#include "llm/wire/SseDecoder.h"

#include <QTest>

using namespace companion::llm;

namespace {

QList<SseEvent> decode(const QByteArray &stream, qsizetype step)
{
    SseDecoder decoder;
    QList<SseEvent> events;
    for (qsizetype at = 0; at < stream.size(); at += step)
        events += decoder.feed(QByteArrayView(stream).sliced(at, std::min(step, stream.size() - at)));
    return events + decoder.end();
}

QList<SseEvent> messages(std::initializer_list<const char *> data)
{
    QList<SseEvent> events;
    for (const char *text : data)
        events.append(SseEvent{"message", text});
    return events;
}

} // namespace

class SseDecoderTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void reads_a_stream_however_it_is_split_data()
    {
        QTest::addColumn<QByteArray>("stream");
        QTest::addColumn<QList<SseEvent>>("events");
        const auto row = [](const char *name, const char *stream, const QList<SseEvent> &events) {
            QTest::newRow(name) << QByteArray(stream) << events;
        };
        row("lf", "data: one\n\ndata: two\n\n", messages({"one", "two"}));
        row("crlf", "data: one\r\n\r\ndata: two\r\n\r\n", messages({"one", "two"}));
        row("cr", "data: one\r\rdata: two\r\r", messages({"one", "two"}));
        row("all mixed", "data: one\r\n\ndata: two\r\n\rdata: three\n\r\n", messages({"one", "two", "three"}));
        row("several data lines", "data: one\ndata: two\ndata\ndata: four\n\n", messages({"one\ntwo\n\nfour"}));
        row("comments", ": hello\n\n:\ndata: one\n: between\n\n", messages({"one"}));
        row("only the first blank goes", "data:  one\ndata:two\n\n", messages({" one\ntwo"}));
        row("byte order mark",
            "\xEF\xBB\xBF"
            "data: one\n\n",
            messages({"one"}));
        row("byte order mark only at the start",
            "data: one\n\n\xEF\xBB\xBF"
            "data: two\n\n",
            messages({"one"}));
        row("utf-8", "data: gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x98\x80\n\n",
            messages({"gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x98\x80"}));
        row("named", "event: error\ndata: {}\n\ndata: x\n\n", {{"error", "{}"}, {"message", "x"}});
        row("unknown fields", "id: 7\nretry: 100\nfoo: bar\ndata: one\n\n", messages({"one"}));
        row("no data, no event", "event: ping\n\nid: 3\n\ndata: one\n\n", messages({"one"}));
        row("empty data", "data:\n\ndata\n\n", messages({"", ""}));
        row("the last blank line is missing", "data: one\n\ndata: [DONE]\n", messages({"one", "[DONE]"}));
        row("half a line never counts", "data: one\n\ndata: tw", messages({"one"}));
        row("half a line after a whole one", "data: one\ndata: tw", messages({"one"}));
        row("nothing", "", {});
        row("many blank lines", "\n\n\r\n\r\r\ndata: one\n\n\n\n", messages({"one"}));
    }
    void reads_a_stream_however_it_is_split()
    {
        QFETCH(QByteArray, stream);
        QFETCH(QList<SseEvent>, events);
        for (qsizetype step = 1; step <= std::max<qsizetype>(1, stream.size()); ++step)
            QCOMPARE(decode(stream, step), events);
        for (qsizetype cut = 0; cut <= stream.size(); ++cut) { // once, at every byte
            SseDecoder decoder;
            auto split = decoder.feed(QByteArrayView(stream).first(cut));
            split += decoder.feed(QByteArrayView(stream).sliced(cut));
            split += decoder.end();
            QCOMPARE(split, events);
        }
    }

    void stops_at_a_line_above_the_limit()
    {
        SseDecoder decoder(64);
        QVERIFY(decoder.feed("data: fine\n\ndata: ").size() == 1);
        for (int i = 0; i < 20; ++i)
            decoder.feed("xxxxxxxx");
        QVERIFY(decoder.overflowed());
        QVERIFY(decoder.feed("\n\ndata: late\n\n").isEmpty());
        QVERIFY(decoder.end().isEmpty());
    }

    void stops_at_an_event_whose_lines_together_exceed_the_limit()
    {
        SseDecoder decoder(64);
        for (int i = 0; i < 10; ++i)
            QVERIFY(decoder.feed("data: 0123456789\n").isEmpty());
        QVERIFY(decoder.overflowed());
        QVERIFY(decoder.feed("\n").isEmpty());
    }

    void takes_a_line_of_just_the_limit()
    {
        SseDecoder decoder(16);
        QCOMPARE(decoder.feed("data: 0123456789\n\n").size(), 1);
        QVERIFY(!decoder.overflowed());
    }
};

QTEST_APPLESS_MAIN(SseDecoderTest)
#include "tst_SseDecoder.moc"
