#include "common/Bug.h"
#include "db/Statements.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

class TestStatements : public QObject
{
    Q_OBJECT
private:
    static QString sqlOf(const QString &body)
    {
        return Statements::parse("room", u"-- name: it\n"_s + body).value(0).sql;
    }

private Q_SLOTS:
    void blocks_are_named_by_their_room()
    {
        const auto all = Statements::parse("wallet",
                                           u"-- A file's own remark.\n\n-- name: first\nSELECT 1;\n\n"
                                           "-- why this is so\n-- name: second_one \nSELECT 2\n"_s);
        QCOMPARE(all.size(), 2);
        QCOMPARE(all[0].name, QByteArray("wallet.first"));
        QCOMPARE(all[0].sql, u"SELECT 1"_s);
        QCOMPARE(all[1].name, QByteArray("wallet.second_one"));
        QCOMPARE(all[1].sql, u"SELECT 2"_s);
    }

    void placeholders_are_numbered_by_name()
    {
        const auto it = Statements::parse("r", u"-- name: it\nSELECT :b, :a, :b::numeric(10,2)"_s).first();
        QCOMPARE(it.sql, u"SELECT $1, $2, $1::numeric(10,2)"_s);
        QCOMPARE(it.placeholders, (QList<QByteArray>{"b", "a"}));
    }

    void what_only_looks_like_a_placeholder_is_left_alone_data()
    {
        QTest::addColumn<QString>("body");
        QTest::addColumn<QString>("sql");
        QTest::newRow("cast") << u"SELECT x::text"_s << u"SELECT x::text"_s;
        QTest::newRow("text") << u"SELECT ':a' ';'"_s << u"SELECT ':a' ';'"_s;
        QTest::newRow("doubled quote") << u"SELECT 'it''s :a'"_s << u"SELECT 'it''s :a'"_s;
        QTest::newRow("escaped quote") << u"SELECT E'\\' :a'"_s << u"SELECT E'\\' :a'"_s;
        QTest::newRow("plain backslash") << u"SELECT '\\', :a"_s << u"SELECT '\\', $1"_s;
        QTest::newRow("identifier") << u"SELECT \":a\""_s << u"SELECT \":a\""_s;
        QTest::newRow("dollar") << u"SELECT $$ :a ; $$"_s << u"SELECT $$ :a ; $$"_s;
        QTest::newRow("tagged") << u"SELECT $x$ $$ :a $x$"_s << u"SELECT $x$ $$ :a $x$"_s;
        QTest::newRow("slice") << u"SELECT x[1:2]"_s << u"SELECT x[1:2]"_s;
        QTest::newRow("line comment") << u"SELECT 1 -- :a; '\n, 2"_s << u"SELECT 1 \n, 2"_s;
        QTest::newRow("block comment") << u"SELECT /* :a /* ; */ ' */ 1"_s << u"SELECT   1"_s;
        QTest::newRow("jsonb") << u"SELECT a ? 'b'"_s << u"SELECT a ? 'b'"_s;
    }
    void what_only_looks_like_a_placeholder_is_left_alone()
    {
        QFETCH(QString, body);
        QFETCH(QString, sql);
        QCOMPARE(sqlOf(body), sql);
    }

    void a_malformed_file_is_a_bug_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("two statements") << u"-- name: it\nSELECT 1; SELECT 2"_s;
        QTest::newRow("empty") << u"-- name: it\n-- nothing\n-- name: other\nSELECT 1"_s;
        QTest::newRow("open quote") << u"-- name: it\nSELECT $a$ x"_s;
        QTest::newRow("capital") << u"-- name: It\nSELECT 1"_s;
        QTest::newRow("blank") << u"-- name: find user\nSELECT 1"_s;
        QTest::newRow("parameters where none can be") << u"-- name: it\nSET x = :a"_s;
    }
    void a_malformed_file_is_a_bug()
    {
        QFETCH(QString, text);
        QVERIFY_THROWS_EXCEPTION(Bug, Statements::parse("room", text));
    }

    void only_what_can_be_prepared_is_prepared()
    {
        QVERIFY(Statements::parse("r", u"-- name: it\nwith x as (select 1) select * from x"_s).first().preparable);
        QVERIFY(!Statements::parse("r", u"-- name: it\nLOCK TABLE x"_s).first().preparable);
    }

    void the_embedded_ones_are_found_by_name_and_an_unknown_name_is_a_bug()
    {
        QVERIFY(Statements::embedded().names().contains("test.echo"));
        QCOMPARE(Statements::embedded().find("test.twice").placeholders, QList<QByteArray>{"word"});
        QVERIFY_THROWS_EXCEPTION(Bug, Statements::embedded().find("test.no_such"));
    }
};

QTEST_APPLESS_MAIN(TestStatements)
#include "tst_Statements.moc"
