#include "memory/retrieval/Facts.h"

#include <QFile>
#include <QTest>

using namespace companion;
using namespace companion::memory;
using namespace Qt::StringLiterals;

namespace {

const QDateTime said(QDate(2023, 5, 10), QTime(12, 0), Qt::UTC);

QString told(const std::vector<Fact> &facts)
{
    QStringList out;
    for (const Fact &fact : facts)
        out += QString((fact.ended ? u"ended "_s : QString()) + toText(fact.kind) + u' ' + fact.subject + u" = "_s
                       + (fact.ended || fact.kind != FactKind::Event ? fact.value : fact.value.section(u' ', 0, 0)))
                   .trimmed();
    out.sort();
    return out.isEmpty() ? u"none"_s : out.join(u" & "_s);
}

QString sorted(const QString &expected)
{
    QStringList parts = expected.split(u" & "_s);
    for (QString &part : parts)
        part = part.trimmed();
    parts.sort();
    return parts.join(u" & "_s);
}

Fact fact(FactKind kind, const QString &value, const QString &subject = u"user"_s)
{
    return {
        .kind = kind, .subject = subject, .value = value, .confidence = 0.8, .saidAt = said, .on = {}, .ended = false};
}

} // namespace

class TestFacts : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void every_case_of_the_table_states_just_its_facts_data();
    void every_case_of_the_table_states_just_its_facts();
    void a_later_home_replaces_the_earlier();
    void what_is_told_again_is_confirmed();
    void a_dislike_replaces_the_like_of_the_same_thing();
    void two_likes_stand_beside_each_other();
    void an_end_takes_back_and_adds_nothing();
    void an_end_of_another_value_takes_nothing_back();
    void two_sisters_are_two_people_and_two_wives_are_not();
    void a_plan_knows_its_day();
    void hostile_text_is_only_ever_a_value();
};

void TestFacts::every_case_of_the_table_states_just_its_facts_data()
{
    QTest::addColumn<QString>("message");
    QTest::addColumn<QString>("expected");
    QFile file(QFINDTESTDATA("fact_cases.txt"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    for (const QString &line : QString::fromUtf8(file.readAll()).split(u'\n', Qt::SkipEmptyParts))
        if (!line.startsWith(u'#'))
            QTest::newRow(qPrintable(line)) << line.section(u'|', 0, 0).trimmed() << sorted(line.section(u'|', 1));
}

void TestFacts::every_case_of_the_table_states_just_its_facts()
{
    QFETCH(QString, message);
    QFETCH(QString, expected);
    QCOMPARE(told(factsIn(message, said)), expected);
}

void TestFacts::a_later_home_replaces_the_earlier()
{
    const FactChanges changes = consolidate({fact(FactKind::Home, u"Rome"_s)}, {fact(FactKind::Home, u"Berlin"_s)});
    QCOMPARE(changes.superseded, std::vector<size_t>{0});
    QCOMPARE(changes.added.size(), 1U);
    QCOMPARE(changes.added[0].value, u"Berlin"_s);
}

void TestFacts::what_is_told_again_is_confirmed()
{
    const FactChanges changes = consolidate({fact(FactKind::Home, u"Rome"_s)}, {fact(FactKind::Home, u"rome"_s)});
    QCOMPARE(changes.confirmed, std::vector<size_t>{0});
    QVERIFY(changes.added.empty());
    QVERIFY(changes.superseded.empty());
}

void TestFacts::a_dislike_replaces_the_like_of_the_same_thing()
{
    const FactChanges changes =
        consolidate({fact(FactKind::Likes, u"sushi"_s)}, {fact(FactKind::Dislikes, u"Sushi"_s)});
    QCOMPARE(changes.superseded, std::vector<size_t>{0});
    QCOMPARE(changes.added.size(), 1U);
}

void TestFacts::two_likes_stand_beside_each_other()
{
    const FactChanges changes = consolidate({fact(FactKind::Likes, u"sushi"_s)}, {fact(FactKind::Likes, u"jazz"_s)});
    QVERIFY(changes.superseded.empty());
    QCOMPARE(changes.added.size(), 1U);
}

void TestFacts::an_end_takes_back_and_adds_nothing()
{
    const auto found = factsIn(u"I don't live in Rome anymore", said);
    const FactChanges changes = consolidate({fact(FactKind::Home, u"Rome"_s), fact(FactKind::Job, u"nurse"_s)}, found);
    QCOMPARE(changes.superseded, std::vector<size_t>{0});
    QVERIFY(changes.added.empty());
}

void TestFacts::an_end_of_another_value_takes_nothing_back()
{
    const auto found = factsIn(u"I used to live in Rome", said);
    QVERIFY(consolidate({fact(FactKind::Home, u"Berlin"_s)}, found).superseded.empty());
}

void TestFacts::two_sisters_are_two_people_and_two_wives_are_not()
{
    QVERIFY(keyOf(fact(FactKind::Person, u"Anna"_s, u"sister"_s))
            != keyOf(fact(FactKind::Person, u"Eva"_s, u"sister"_s)));
    QCOMPARE(keyOf(fact(FactKind::Person, u"Anna"_s, u"wife"_s)), keyOf(fact(FactKind::Person, u"Eva"_s, u"wife"_s)));
}

void TestFacts::a_plan_knows_its_day()
{
    const auto found = factsIn(u"I have a job interview tomorrow", said);
    QCOMPARE(found.size(), 1U);
    QCOMPARE(found[0].on, std::optional(QDate(2023, 5, 11)));
}

void TestFacts::hostile_text_is_only_ever_a_value()
{
    const QString long_ = u"I live in "_s + QString(20'000, u'a');
    QVERIFY(factsIn(long_, said).empty());
    QVERIFY(factsIn(QString(20'000, u'"'), said).empty());
    QVERIFY(factsIn(QString(u"my "_s).repeated(8'000), said).empty());
    QVERIFY(factsIn(QString(QChar(0xd800)), said).empty());
}

QTEST_GUILESS_MAIN(TestFacts)
#include "tst_Facts.moc"
