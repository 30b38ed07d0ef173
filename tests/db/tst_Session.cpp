#include "support/TestDatabase.h"

#include "common/Bug.h"
#include "db/DatabaseError.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;

class TestSession : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void a_script_answers_with_rows()
    {
        test::TestDatabase db;
        const auto rows = db.app().script(u"SELECT current_user::text AS who, 3::bigint AS n"_s);
        QCOMPARE(rows.size(), 1);
        QCOMPARE(rows.first().text("who"), u"companion_app"_s);
        QCOMPARE(rows.first().integer("n"), 3);
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_Session.moc"
