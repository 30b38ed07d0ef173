#include "support/TestDatabase.h"

#include "db/DatabaseError.h"
#include "db/Statements.h"

#include <QDirIterator>
#include <QFile>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

// Every named statement of every room, against a database with all migrations. This program links what the backend
// links.
class TestEveryStatement : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<test::TestDatabase> m_db;

private Q_SLOTS:
    void initTestCase() { m_db = std::make_unique<test::TestDatabase>(); }
    void cleanupTestCase() { m_db.reset(); }

    void can_be_prepared_data()
    {
        QTest::addColumn<QByteArray>("name");
        for (const auto &name : Statements::embedded().names())
            QTest::newRow(name.constData()) << name;
    }
    void can_be_prepared()
    {
        QFETCH(QByteArray, name);
        const Statement &statement = Statements::embedded().find(name);
        if (!statement.preparable)
            return;
        try {
            m_db->owner().script(u"PREPARE checked AS "_s + statement.sql);
            m_db->owner().script(u"DEALLOCATE checked"_s);
        } catch (const DatabaseError &error) {
            QFAIL(error.what());
        }
    }

    // A room's file that this program does not hold would not be checked above.
    void no_file_of_statements_is_left_out()
    {
        int files = 0;
        QDirIterator found(QStringLiteral(SOURCE_DIR "/backend"), {u"*.sql"_s}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (found.hasNext()) {
            QFile file(found.next());
            const QByteArray room = found.fileInfo().dir().dirName().toLatin1();
            QVERIFY(file.open(QIODevice::ReadOnly));
            for (const auto &statement : Statements::parse(room, QString::fromUtf8(file.readAll())))
                QVERIFY2(Statements::embedded().names().contains(statement.name), statement.name.constData());
            ++files;
        }
        QVERIFY(files >= 9);
    }
};

QTEST_GUILESS_MAIN(TestEveryStatement)
#include "tst_EveryStatement.moc"
