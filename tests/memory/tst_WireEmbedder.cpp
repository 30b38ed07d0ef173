// The client for OpenAI's embeddings, against a server that speaks and misspeaks them.

#include "fakes/FakeVectors.h"
#include "memory/embedders/WireEmbedder.h"

#include <QSignalSpy>
#include <QTest>
#include <cmath>

using namespace companion;
using namespace companion::memory;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class WireEmbedderTest : public QObject
{
    Q_OBJECT

    static WireEmbedderOptions options(const FakeEmbeddings &fake)
    {
        return {.baseUrl = fake.url(), .apiKey = "sk-test", .texts = 8, .total = 2s, .backoff = 5ms};
    }
    static Result<Vectors> embed(Embedder &embedder, const QStringList &texts)
    {
        Result<Vectors> got = std::unexpected(Refusal{ErrorCode::Internal, u"never finished"_s});
        int times = 0;
        connect(embedder.start(texts), &Embedding::finished, &embedder, [&](const Result<Vectors> &vectors) {
            got = vectors;
            ++times;
        });
        if (!QTest::qWaitFor([&] { return times > 0; }, 10'000) || times != 1)
            return std::unexpected(Refusal{ErrorCode::Internal, u"finished %1 times"_s.arg(times)});
        return got;
    }
    static bool isOf(const Vector &vector, const QString &text, const FakeEmbeddings &fake,
                     const QString &model = u"text-embedding-3-small"_s)
    {
        auto wanted = FakeEmbeddings::vectorOf(text, model, fake.dimension);
        double length = 0;
        for (const float x : wanted)
            length += double(x) * x;
        for (size_t i = 0; i < wanted.size(); ++i)
            if (std::abs(wanted[i] / float(std::sqrt(length)) - vector.at(i)) > 1e-6)
                return false;
        return wanted.size() == vector.size();
    }

private Q_SLOTS:
    void base64_and_numbers_are_the_same_vectors()
    {
        FakeEmbeddings fake;
        WireEmbedder embedder(options(fake));
        const QStringList texts{u"My parrot is called Ferdinand"_s, u"Grüße aus Köln 🦜"_s, u"  "_s};
        const auto packed = embed(embedder, texts);
        fake.floats = true;
        const auto plain = embed(embedder, texts);
        QVERIFY(packed && plain);
        QCOMPARE(packed->size(), 3U);
        for (size_t i = 0; i < 2; ++i) {
            QVERIFY(isOf((*packed)[i], texts[qsizetype(i)], fake));
            QVERIFY(isOf((*plain)[i], texts[qsizetype(i)], fake));
        }
        QCOMPARE(embedder.identity(), (EmbedderIdentity{u"compatible/text-embedding-3-small"_s, 1536}));
        QCOMPARE(fake.wire.requests().first().headers.value("authorization"), "Bearer sk-test");
        QCOMPARE(embedder.health().first, u"ok"_s);
    }

    void many_texts_go_in_several_requests_and_any_order_is_understood()
    {
        FakeEmbeddings fake(64);
        fake.shuffled = true;
        auto wanted = options(fake);
        wanted.model = u"other-model"_s;
        WireEmbedder embedder(wanted);
        QCOMPARE(embedder.identity().dimension, 0);
        QStringList texts;
        for (int i = 0; i < 21; ++i)
            texts.append(u"text number %1"_s.arg(i));
        const auto vectors = embed(embedder, texts);
        QVERIFY(vectors);
        QCOMPARE(vectors->size(), 21U);
        for (size_t i = 0; i < 21; ++i)
            QVERIFY(isOf((*vectors)[i], texts[qsizetype(i)], fake, u"other-model"_s));
        QCOMPARE(fake.largestRequest, 8);
        QCOMPARE(embedder.identity().dimension, 64);
        QVERIFY(embed(embedder, {}).has_value());
    }

    void what_may_pass_is_tried_again()
    {
        FakeEmbeddings fake(64);
        auto wanted = options(fake);
        wanted.model = u"m"_s;
        WireEmbedder embedder(wanted);
        for (const int status : {429, 500, 503, 408}) {
            fake.wire.forget();
            fake.nextStatus = status;
            QVERIFY(embed(embedder, {u"a"_s}));
            QCOMPARE(fake.wire.requests().size(), 2);
        }
    }

    void what_fails_is_told_once_and_in_time_data()
    {
        QTest::addColumn<QByteArray>("spoiled");
        QTest::newRow("no JSON") << QByteArray("<html>");
        QTest::newRow("no data") << QByteArray("{}");
        QTest::newRow("too few") << QByteArray(R"({"data":[{"index":0,"embedding":[1,2]}]})");
        QTest::newRow("the same index twice")
            << QByteArray(R"({"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]})");
        QTest::newRow("an index beyond") << QByteArray(
            R"({"data":[{"index":0,"embedding":[1,2]},{"index":7,"embedding":[1,2]}]})");
        QTest::newRow("of two lengths") << QByteArray(
            R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,2,3]}]})");
        QTest::newRow("no numbers") << QByteArray(
            R"({"data":[{"index":0,"embedding":["a"]},{"index":1,"embedding":["b"]}]})");
        QTest::newRow("empty") << QByteArray(R"({"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]})");
        QTest::newRow("half a float") << QByteArray(
            R"({"data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":"AAAA"}]})");
        QTest::newRow("no number at all") // NaN, little-endian
            << QByteArray(R"({"data":[{"index":0,"embedding":"AADAfw=="},{"index":1,"embedding":"AADAfw=="}]})");
    }
    void what_fails_is_told_once_and_in_time()
    {
        QFETCH(QByteArray, spoiled);
        FakeEmbeddings fake(2);
        fake.spoiled = spoiled;
        auto wanted = options(fake);
        wanted.model = u"m"_s;
        WireEmbedder embedder(wanted);
        const auto vectors = embed(embedder, {u"a"_s, u"b"_s});
        QVERIFY(!vectors);
        QCOMPARE(vectors.error().code, ErrorCode::ModelFailed);
    }

    void another_length_under_the_same_name_is_refused()
    {
        FakeEmbeddings fake(8);
        auto wanted = options(fake);
        wanted.model = u"m"_s;
        WireEmbedder embedder(wanted);
        QVERIFY(embed(embedder, {u"a"_s}));
        fake.dimension = 16;
        QVERIFY(!embed(embedder, {u"a"_s}));
    }

    void who_is_down_is_told_as_down()
    {
        FakeEmbeddings fake(8);
        fake.down = true;
        WireEmbedder embedder(options(fake));
        for (int i = 0; i < 3; ++i)
            QVERIFY(!embed(embedder, {u"a"_s}));
        QCOMPARE(embedder.health().first, u"degraded"_s);
        fake.down = false;
        fake.dimension = 1536;
        QVERIFY(embed(embedder, {u"a"_s}));
        QCOMPARE(embedder.health().first, u"ok"_s);
        WireEmbedder nobody(WireEmbedderOptions{.baseUrl = QUrl(u"http://127.0.0.1:9"_s), .total = 300ms});
        QVERIFY(!embed(nobody, {u"a"_s}));
    }

    void a_server_that_says_nothing_is_waited_for_within_bounds()
    {
        QTcpServer server;
        server.listen(QHostAddress::LocalHost);
        auto wanted =
            WireEmbedderOptions{.baseUrl = QUrl(u"http://127.0.0.1:%1/v1"_s.arg(server.serverPort())), .total = 300ms};
        WireEmbedder embedder(wanted);
        QElapsedTimer waited;
        waited.start();
        const auto vectors = embed(embedder, {u"a"_s});
        QVERIFY(!vectors);
        QCOMPARE(vectors.error().code, ErrorCode::ModelTimeout);
        QVERIFY2(waited.elapsed() < 2'000, qPrintable(QString::number(waited.elapsed())));
    }
};

QTEST_GUILESS_MAIN(WireEmbedderTest)
#include "tst_WireEmbedder.moc"
