#include "memory/retrieval/Digest.h"

#include <QTest>
#include <random>

using namespace companion::memory;
using namespace Qt::StringLiterals;

class TestTerms : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void words_that_mean_the_same_share_a_term_data();
    void words_that_mean_the_same_share_a_term();
    void words_that_differ_keep_their_own_terms();
    void words_without_meaning_are_left_out();
    void clitics_are_dropped_and_names_kept_whole();
    void accents_case_and_width_are_folded();
    void ideographs_count_singly_and_in_pairs();
    void a_digest_comes_back_from_its_bytes();
    void broken_bytes_give_no_digest();
    void sameness_sees_through_case_and_punctuation();
};

void TestTerms::words_that_mean_the_same_share_a_term_data()
{
    QTest::addColumn<QString>("a");
    QTest::addColumn<QString>("b");
    for (const auto &[a, b] : {std::pair{"went", "going"},
                               {"paintings", "painted"},
                               {"studies", "studying"},
                               std::pair{"children", "kids"},
                               {"hobbies", "hobby"},
                               {"bought", "buying"},
                               std::pair{"relational", "relate"},
                               {"hopping", "hop"},
                               {"running", "ran"},
                               std::pair{"Tanned", "tan"},
                               {"troubled", "troubles"},
                               {"Mom's", "mother"}})
        QTest::addRow("%s %s", a, b) << QString::fromLatin1(a) << QString::fromLatin1(b);
}

void TestTerms::words_that_mean_the_same_share_a_term()
{
    QFETCH(QString, a);
    QFETCH(QString, b);
    QCOMPARE(termsOf(a), termsOf(b));
    QCOMPARE(termsOf(a).size(), 1U);
}

void TestTerms::words_that_differ_keep_their_own_terms()
{
    QVERIFY(termsOf(u"university") != termsOf(u"universe2"));
    QVERIFY(termsOf(u"cat") != termsOf(u"car"));
    QVERIFY(termsOf(u"7") != termsOf(u"17"));
}

void TestTerms::words_without_meaning_are_left_out()
{
    QVERIFY(termsOf(u"what did you do, and who was it with?").empty());
    QVERIFY(termsOf(u"").empty());
    QVERIFY(termsOf(u"?!… 🙂").empty());
}

void TestTerms::clitics_are_dropped_and_names_kept_whole()
{
    QCOMPARE(wordsOf(u"Anna's don't I’ve O'Brien"), (std::vector<QString>{u"anna"_s, u"do"_s, u"i"_s, u"obrien"_s}));
}

void TestTerms::accents_case_and_width_are_folded()
{
    QCOMPARE(termsOf(u"CAFÉ"), termsOf(u"cafe"));
    QCOMPARE(termsOf(u"ｃａｆｅ"), termsOf(u"cafe"));
    QCOMPARE(termsOf(u"naïve Zoë"), termsOf(u"naive zoe"));
}

void TestTerms::ideographs_count_singly_and_in_pairs()
{
    QCOMPARE(wordsOf(u"東京都"), (std::vector<QString>{u"東"_s, u"東京"_s, u"京"_s, u"京都"_s, u"都"_s}));
}

void TestTerms::a_digest_comes_back_from_its_bytes()
{
    const Digest digest = digestOf(u"Last Friday I painted, painted and painted. And you?", QDate(2023, 5, 10));
    QCOMPARE(digest.dates.size(), 1U);
    QVERIFY(digest.isQuestion);
    QCOMPARE(decodeDigest(encode(digest)), std::optional(digest));
    QCOMPARE(decodeDigest(encode(Digest())), std::optional(Digest()));
    const Digest long_ = digestOf(u"word%1 "_s.repeated(70'000), QDate(2023, 5, 10));
    QCOMPARE(decodeDigest(encode(long_)), std::optional(long_));
}

void TestTerms::broken_bytes_give_no_digest()
{
    const QByteArray whole = encode(digestOf(u"two weeks ago we sailed to Crete", QDate(2023, 5, 10)));
    for (qsizetype cut = 0; cut < whole.size(); ++cut)
        QVERIFY(!decodeDigest(QByteArrayView(whole).first(cut)));
    QVERIFY(!decodeDigest(QByteArray(whole + 'x')));
    QByteArray other = whole;
    other[0] = char(99);
    QVERIFY(!decodeDigest(other));
    std::mt19937 random(3); // NOLINT
    for (int i = 0; i < 20'000; ++i) {
        QByteArray noise(qsizetype(random() % 64), 0);
        for (char &c : noise)
            c = char(random());
        if (!noise.isEmpty())
            noise[0] = char(termsVersion);
        (void)decodeDigest(noise); // no crash, whatever it is
    }
}

void TestTerms::sameness_sees_through_case_and_punctuation()
{
    const auto of = [](QStringView text) { return digestOf(text, QDate(2023, 5, 10)).sameness; };
    QCOMPARE(of(u"Good night, love!"), of(u"good night  love"));
    QVERIFY(of(u"good night love") != of(u"good night dove"));
}

QTEST_GUILESS_MAIN(TestTerms)
#include "tst_Terms.moc"
