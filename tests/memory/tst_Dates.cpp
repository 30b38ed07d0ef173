#include "memory/retrieval/Dates.h"

#include <QTest>

using namespace companion::memory;
using namespace Qt::StringLiterals;

class TestDates : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a_time_is_seen_from_the_day_it_was_said_data();
    void a_time_is_seen_from_the_day_it_was_said();
    void a_phrase_knows_its_place();
    void several_times_come_in_the_order_of_the_text();
    void any_text_on_any_day_gives_sound_spans();
};

// Said on Wednesday 10 May 2023.
void TestDates::a_time_is_seen_from_the_day_it_was_said_data()
{
    QTest::addColumn<QString>("name");
    const auto row = [](const char *text, const char *name) { QTest::newRow(text) << QString::fromUtf8(name); };
    row("I went there yesterday", "9 May 2023");
    row("last night was fun", "9 May 2023");
    row("the day before yesterday", "8 May 2023");
    row("see you tomorrow!", "11 May 2023");
    row("the day after tomorrow", "12 May 2023");
    row("today I slept", "10 May 2023");
    row("this morning", "10 May 2023");
    row("three days ago", "7 May 2023");
    row("in 3 days", "13 May 2023");
    row("a week ago", "1–7 May 2023");
    row("two weeks ago", "24–30 April 2023");
    row("a couple of weeks ago", "24–30 April 2023");
    row("last week", "1–7 May 2023");
    row("next week", "15–21 May 2023");
    row("the week before last", "24–30 April 2023");
    row("last weekend", "6–7 May 2023");
    row("two weekends ago", "29–30 April 2023");
    row("this weekend", "13–14 May 2023");
    row("last Friday", "5 May 2023");
    row("last Wednesday", "3 May 2023");
    row("next Friday", "12 May 2023");
    row("this Friday", "12 May 2023");
    row("last month", "April 2023");
    row("two months ago", "March 2023");
    row("last year", "2022");
    row("ten years ago", "2013");
    row("in June", "June 2023");
    row("back in March", "March 2023");
    row("last June", "June 2022");
    row("next March", "March 2024");
    row("since 2016", "2016");
    row("in May 2020", "May 2020");
    row("May 2020", "May 2020");
    row("on 3 May 2021", "3 May 2021");
    row("May 5th, 2021", "5 May 2021");
    row("the 5th of July", "5 July 2023");
    row("December 24", "24 December 2022");
    row("on 2023-02-28", "28 February 2023");
    row("gestern", "9 May 2023");
    row("vor zwei Wochen", "24–30 April 2023");
    row("letzten Freitag", "5 May 2023");
    row("nächste Woche", "15–21 May 2023");
    row("im Juni", "June 2023");
    row("am 5. Juli", "5 July 2023");
    row("ayer", "9 May 2023");
    row("hace tres días", "7 May 2023");
    row("el viernes pasado", "5 May 2023");
    row("la semana pasada", "1–7 May 2023");
    row("el 5 de julio de 2021", "5 July 2021");
    row("the other day", "");
    row("soon, one day", "");
    row("I may go", "");
    row("they march on", "");
    row("a few days ago", "");
    row("30 February 2021", "February 2021");
    row("guten Morgen", "");
    row("por la mañana", "");
    row("I have 2 cats and 3 dogs", "");
    row("two weeks of rain", "");
    row("on Friday", "");
    row("99999 years ago", "");
}

void TestDates::a_time_is_seen_from_the_day_it_was_said()
{
    QFETCH(QString, name);
    const auto found = datesIn(QString::fromUtf8(QTest::currentDataTag()), QDate(2023, 5, 10));
    QCOMPARE(found.empty() ? QString() : nameOf(found[0].span), name);
    QVERIFY(found.size() <= 1);
}

void TestDates::a_phrase_knows_its_place()
{
    const QString text = u"Ärger: we met last Friday, late."_s;
    const auto found = datesIn(text, QDate(2023, 5, 10));
    QCOMPARE(found.size(), 1U);
    QCOMPARE(text.mid(found[0].start, found[0].length), u"last Friday"_s);
}

void TestDates::several_times_come_in_the_order_of_the_text()
{
    const auto found = datesIn(u"Yesterday I planned next week and 3 May 2021"_s, QDate(2023, 5, 10));
    QCOMPARE(found.size(), 3U);
    QVERIFY(found[0].start < found[1].start && found[1].start < found[2].start);
}

// Words of times in any order, on every day of a leap year: nothing invalid, nothing outside the text, no overlap.
void TestDates::any_text_on_any_day_gives_sound_spans()
{
    const QStringList words{u"last"_s,       u"next"_s,    u"may"_s,    u"5"_s,      u"31"_s,  u"2024"_s, u"in"_s,
                            u"two"_s,        u"weeks"_s,   u"ago"_s,    u"friday"_s, u"of"_s,  u"feb"_s,  u"a"_s,
                            u"couple"_s,     u"vor"_s,     u"pasado"_s, u"the"_s,    u"day"_s, u","_s,    u"İ"_s,
                            u"2024-02-30"_s, u"weekend"_s, u"9999"_s,   u"month"_s,  u"29"_s};
    uint seed = 7;
    const auto random = [&seed](uint below) { return (seed = seed * 1664525 + 1013904223) / 65536 % below; };
    for (int round = 0; round < 4000; ++round) {
        QStringList picked;
        for (int i = 0; i < 8; ++i)
            picked += words[random(uint(words.size()))];
        const QString text = picked.join(u' ');
        qsizetype end = 0;
        for (const DatedPhrase &phrase : datesIn(text, QDate(2024, 1, 1).addDays(random(366)))) {
            QVERIFY2(phrase.span.first.isValid() && phrase.span.first <= phrase.span.last, qPrintable(text));
            QVERIFY2(phrase.start >= end && phrase.length > 0, qPrintable(text));
            end = phrase.start + phrase.length;
            QVERIFY2(end <= text.size(), qPrintable(text));
            QVERIFY(!nameOf(phrase.span).isEmpty());
        }
    }
}

QTEST_GUILESS_MAIN(TestDates)
#include "tst_Dates.moc"
