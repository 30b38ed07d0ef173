#include "db/Target.h"

#include <QTest>

using namespace Qt::StringLiterals;
using companion::db::Target;

class TestTarget : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void a_url_says_who_connects_where_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<QString>("label");
        QTest::addColumn<QString>("password");
        QTest::newRow("whole") << u"postgres://ann:secret@db.example:6543/shop"_s << u"ann@db.example:6543/shop"_s
                               << u"secret"_s;
        QTest::newRow("other scheme") << u"postgresql://ann@db/shop"_s << u"ann@db:5432/shop"_s << u""_s;
        QTest::newRow("encoded") << u"postgres://a%40b:p%3A%2F%25%20'\\@db/sh%20op"_s << u"a@b@db:5432/sh op"_s
                                 << u"p:/% '\\"_s;
        QTest::newRow("no database") << u"postgres://ann@db"_s << u"ann@db:5432/ann"_s << u""_s;
        QTest::newRow("no host") << u"postgres://ann@/shop"_s << u"ann@localhost:5432/shop"_s << u""_s;
        QTest::newRow("socket") << u"postgres://ann@/shop?host=/run/pg"_s << u"ann@/run/pg:5432/shop"_s << u""_s;
        QTest::newRow("encoded socket") << u"postgres://ann@%2Frun%2Fpg:1/shop"_s << u"ann@/run/pg:1/shop"_s << u""_s;
        QTest::newRow("IPv6") << u"postgres://ann@[::1]:5/shop"_s << u"ann@::1:5/shop"_s << u""_s;
        QTest::newRow("by options") << u"postgres:///shop?user=ann&password=p%26q&port=7"_s << u"ann@localhost:7/shop"_s
                                    << u"p&q"_s;
    }
    void a_url_says_who_connects_where()
    {
        QFETCH(QString, url);
        const auto target = Target::parse(url);
        QVERIFY2(target, qPrintable(target ? QString() : target.error()));
        QTEST(target->label(), "label");
        QTEST(target->password, "password");
    }

    void options_reach_libpq_quoted()
    {
        const auto target = Target::parse(u"postgres://ann@db/shop?sslmode=verify-full&sslrootcert=/it's"_s);
        QVERIFY(target.has_value());
        const QString options = target->connectOptions({{u"TimeZone"_s, u"UTC"_s}});
        QVERIFY(options.contains(u"sslmode='verify-full'"_s));
        QVERIFY(options.contains(u"sslrootcert='/it\\'s'"_s));
        QVERIFY(options.contains(u"options='-c TimeZone=UTC'"_s));
    }

    void a_url_of_another_shape_is_refused_without_its_password_data()
    {
        QTest::addColumn<QString>("url");
        for (const char *url : {"", "mysql://ann:secret@db/x", "postgres://db/shop", "postgres://ann:secret@db:0/shop",
                                "postgres://ann:secret@db:99999/shop", "postgres://ann:secret@db/shop?sslmode=secret",
                                "postgres://ann:secret@db/shop?bogus=1", "postgres://ann:secret@db/a/b",
                                "postgres://ann:sec@ret@db/shop", "host=db user=ann password=secret"})
            QTest::newRow(url) << QString::fromLatin1(url);
    }
    void a_url_of_another_shape_is_refused_without_its_password()
    {
        QFETCH(QString, url);
        const auto target = Target::parse(url);
        QVERIFY(!target);
        QVERIFY2(!target.error().contains(u"secret"_s), qPrintable(target.error()));
    }
};

QTEST_APPLESS_MAIN(TestTarget)
#include "tst_Target.moc"
