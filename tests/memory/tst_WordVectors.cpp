#include "memory/embedders/WordVectors.h"

#include <QSignalSpy>
#include <QTest>
#include <cmath>
#include <numeric>
#include <thread>

using namespace companion;
using namespace companion::memory;
using namespace Qt::StringLiterals;

namespace {

float cosine(const QString &a, const QString &b)
{
    const Vector x = WordVectors::builtIn().embed(a);
    const Vector y = WordVectors::builtIn().embed(b);
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0F);
}

} // namespace

class TestWordVectors : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a_text_becomes_a_vector_of_length_one();
    void what_it_does_not_know_is_a_zero_vector();
    void texts_alike_in_meaning_are_nearer();
    void frequent_words_say_little();
    void it_knows_its_words_and_no_others();
    void it_says_who_it_is();
    void many_threads_get_the_same();
    void as_an_embedder_it_answers_later_and_once();
    void a_text_takes_microseconds();
};

void TestWordVectors::a_text_becomes_a_vector_of_length_one()
{
    const Vector vector = WordVectors::builtIn().embed(u"We sailed along the coast of Crete"_s);
    QCOMPARE(vector.size(), 100U);
    QVERIFY(std::abs(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F) - 1) < 1e-4F);
}

void TestWordVectors::what_it_does_not_know_is_a_zero_vector()
{
    for (const QString &text : {QString(), u"?!"_s, u"xqzzv qqxz"_s, u"東京"_s}) {
        const Vector vector = WordVectors::builtIn().embed(text);
        QCOMPARE(vector, Vector(100, 0.0F));
    }
}

void TestWordVectors::texts_alike_in_meaning_are_nearer()
{
    const QString cats = u"My kitten sleeps on the sofa"_s;
    QVERIFY(cosine(cats, u"The cat is napping on the couch"_s)
            > cosine(cats, u"The bank raised its interest rates"_s) + 0.2F);
    const QString food = u"What should I cook for dinner?"_s;
    QVERIFY(cosine(food, u"a recipe for soup"_s) > cosine(food, u"the football match ended in a draw"_s) + 0.2F);
}

void TestWordVectors::frequent_words_say_little()
{
    QVERIFY(cosine(u"the violin"_s, u"a violin and that is it"_s) > 0.8F);
}

void TestWordVectors::it_knows_its_words_and_no_others()
{
    QVERIFY(WordVectors::builtIn().knows(u"guitar") && !WordVectors::builtIn().knows(u"xqzzv"));
}

void TestWordVectors::it_says_who_it_is()
{
    QCOMPARE(WordVectors::builtIn().identity(), (EmbedderIdentity{u"glove-sif-100/1"_s, 100}));
}

void TestWordVectors::many_threads_get_the_same()
{
    const Vector expected = WordVectors::builtIn().embed(u"mountains and rivers"_s);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 30; ++i) {
                wrong += WordVectors::builtIn().embed(u"mountains and rivers"_s) != expected;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    QCOMPARE(wrong.load(), 0);
}

void TestWordVectors::as_an_embedder_it_answers_later_and_once()
{
    const std::unique_ptr<Embedder> embedder(makeLocalEmbedder());
    QVERIFY(embedder->local());
    Embedding *embedding = embedder->start({u"a cat"_s, u"a dog"_s});
    int answers = 0;
    Vectors got;
    connect(embedding, &Embedding::finished, this, [&](const Result<Vectors> &vectors) {
        ++answers;
        got = vectors.value();
    });
    QCOMPARE(answers, 0);
    QTRY_COMPARE(answers, 1);
    QCOMPARE(got.size(), 2U);
    QCOMPARE(got[0], WordVectors::builtIn().embed(u"a cat"_s));
    Embedding *stopped = embedder->start({u"a cat"_s});
    bool refused = false;
    connect(stopped, &Embedding::finished, this, [&](const Result<Vectors> &vectors) { refused = !vectors; });
    stopped->stop();
    QTRY_VERIFY(refused);
}

void TestWordVectors::a_text_takes_microseconds()
{
    const QString text =
        u"Yesterday we took the early train to the mountains and walked along the river until it got dark."_s;
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 1000; ++i)
        (void)WordVectors::builtIn().embed(text);
#ifdef __SANITIZE_ADDRESS__
    constexpr int slower = 30;
#else
    constexpr int slower = 1;
#endif
    QVERIFY2(timer.elapsed() < 200 * slower,
             qPrintable(QString::number(timer.elapsed()))); // 200 µs each, unoptimised and busy
}

QTEST_GUILESS_MAIN(TestWordVectors)
#include "tst_WordVectors.moc"
