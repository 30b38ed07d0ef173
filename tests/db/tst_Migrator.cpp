#include "support/TestDatabase.h"

#include "common/Bug.h"
#include "db/DatabaseError.h"
#include "db/Migrator.h"

#include <QProcess>
#include <QTest>
#include <QTextStream>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

namespace {

const QList<Migration> twoSlow{
    {1, u"0001_first"_s, "SELECT pg_sleep(0.2); CREATE TABLE first (id integer); INSERT INTO first VALUES (1);"},
    {2, u"0002_second"_s, "SELECT pg_sleep(0.2); CREATE TABLE second (id integer); INSERT INTO first VALUES (2);"},
};

// What this program does when it is called as another instance: migrate, and say what was applied.
int migrateAsProcess(const QString &host, const QString &database)
{
    const SystemClock clock;
    Session owner({.host = host, .database = database, .user = u"owner"_s}, clock, 0);
    const auto applied = Migrator(twoSlow).migrate(owner);
    QTextStream(stdout) << (applied ? applied->join(u',') : u"error "_s + applied.error());
    return applied ? 0 : 1;
}

} // namespace

class TestMigrator : public QObject
{
    Q_OBJECT
private:
    test::ManualClock m_clock;
    static qint64 count(Session &session, const char *table)
    {
        return session.script(u"SELECT count(*) AS n FROM %1"_s.arg(QLatin1StringView(table))).first().integer("n");
    }

private Q_SLOTS:
    void a_fresh_database_gets_all_of_them_in_order_and_a_repeat_none()
    {
        Session owner(test::TestDatabase::makeEmpty(), m_clock);
        QCOMPARE(Migrator(twoSlow).pending(owner).value(), (QStringList{u"0001_first"_s, u"0002_second"_s}));
        QCOMPARE(Migrator({twoSlow[1], twoSlow[0]}).migrate(owner).value(),
                 (QStringList{u"0001_first"_s, u"0002_second"_s}));
        QCOMPARE(Migrator(twoSlow).migrate(owner).value(), QStringList());
        QCOMPARE(Migrator(twoSlow).pending(owner).value(), QStringList());
        QCOMPARE(count(owner, "first"), 2);
    }

    void only_the_new_ones_are_applied()
    {
        Session owner(test::TestDatabase::makeEmpty(), m_clock);
        QVERIFY(Migrator({twoSlow[0]}).migrate(owner));
        QCOMPARE(Migrator(twoSlow).pending(owner).value(), QStringList{u"0002_second"_s});
        QCOMPARE(Migrator(twoSlow).migrate(owner).value(), QStringList{u"0002_second"_s});
    }

    void two_processes_at_once_apply_each_just_once()
    {
        const Target target = test::TestDatabase::makeEmpty();
        QProcess processes[2];
        for (auto &process : processes)
            process.start(QCoreApplication::applicationFilePath(), {u"--migrate"_s, target.host, target.database});
        QStringList applied;
        for (auto &process : processes) {
            QVERIFY(process.waitForFinished());
            QCOMPARE(process.exitCode(), 0);
            applied += QString::fromUtf8(process.readAllStandardOutput()).split(u',', Qt::SkipEmptyParts);
        }
        QCOMPARE(applied, (QStringList{u"0001_first"_s, u"0002_second"_s}));
        Session owner(target, m_clock);
        QCOMPARE(count(owner, "first"), 2);
    }

    void a_database_newer_than_the_program_is_refused()
    {
        Session owner(test::TestDatabase::makeEmpty(), m_clock);
        QVERIFY(Migrator(twoSlow).migrate(owner));
        for (const auto &refused : {Migrator({twoSlow[0]}).migrate(owner), Migrator({twoSlow[0]}).pending(owner)}) {
            QVERIFY(!refused);
            QVERIFY2(refused.error().contains(u"newer"_s) && refused.error().contains(u"0002_second"_s),
                     qPrintable(refused.error()));
        }
    }

    void a_changed_migration_is_refused()
    {
        Session owner(test::TestDatabase::makeEmpty(), m_clock);
        QVERIFY(Migrator({twoSlow[0]}).migrate(owner));
        Migration changed = twoSlow[0];
        changed.sql += " ";
        const auto refused = Migrator({changed, twoSlow[1]}).migrate(owner);
        QVERIFY(!refused);
        QVERIFY2(refused.error().contains(u"0001_first"_s), qPrintable(refused.error()));
        QVERIFY_THROWS_EXCEPTION(DatabaseError, owner.script(u"SELECT * FROM second"_s));
    }

    void a_failing_migration_leaves_nothing_of_itself()
    {
        Session owner(test::TestDatabase::makeEmpty(), m_clock);
        const Migration failing{2, u"0002_fails"_s, "CREATE TABLE half (id integer); SELECT 1/0;"};
        try {
            static_cast<void>(Migrator({twoSlow[0], failing}).migrate(owner));
            QFAIL("it did not fail");
        } catch (const DatabaseError &error) {
            QVERIFY2(QByteArray(error.what()).contains("0002_fails"), error.what());
            QCOMPARE(error.sqlState(), u"22012"_s);
        }
        QCOMPARE(owner.script(u"SELECT 1 WHERE to_regclass('half') IS NOT NULL"_s).size(), 0);
        QCOMPARE(Migrator(twoSlow).migrate(owner).value(), QStringList{u"0002_second"_s}); // and the lock is free
    }

    void two_of_one_number_are_a_bug() { QVERIFY_THROWS_EXCEPTION(Bug, Migrator({twoSlow[0], twoSlow[0]})); }

    void ours_apply_to_an_empty_database_and_are_numbered_upwards()
    {
        const auto &ours = Migrator::embedded();
        QVERIFY(ours.size() >= 8);
        int last = 0; // a number may be missing: it was given to work that needed none
        for (const auto &migration : ours) {
            QVERIFY2(migration.name.startsWith(u"%1_"_s.arg(migration.number, 4, 10, QLatin1Char('0'))),
                     qPrintable(migration.name));
            QVERIFY2(migration.number > std::exchange(last, migration.number), qPrintable(migration.name));
        }
        Session owner(test::TestDatabase::makeEmpty(), m_clock);
        db::ensureRoles(owner, {}, {});
        QCOMPARE(Migrator().migrate(owner).value().size(), ours.size());
    }
};

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    if (argc == 4 && qstrcmp(argv[1], "--migrate") == 0)
        return migrateAsProcess(QString::fromLocal8Bit(argv[2]), QString::fromLocal8Bit(argv[3]));
    TestMigrator test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_Migrator.moc"
