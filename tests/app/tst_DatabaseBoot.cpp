#include "app/DatabaseBoot.h"
#include "support/TestDatabase.h"

#include "db/Migrator.h"

#include <QFile>
#include <QProcess>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::app;

// An external server, as DATABASE_URL names one: a server that asks everybody but the superuser for a password.
class TestDatabaseBoot : public QObject
{
    Q_OBJECT
private:
    const SystemClock m_clock;
    QString m_database;

    static test::TestCluster &cluster() { return test::TestCluster::instance(); }
    void superuser(const QString &sql, const QString &database = u"postgres"_s)
    {
        db::Session(cluster().superuser(database), m_clock).script(sql);
    }
    void setHba(const QByteArray &text)
    {
        QFile hba(cluster().directory() + u"/data/pg_hba.conf"_s);
        QVERIFY(hba.open(QIODevice::WriteOnly | QIODevice::Truncate));
        hba.write(text);
        hba.close();
        superuser(u"SELECT pg_reload_conf()"_s);
        QTest::qWait(100);
    }
    QString url(const QString &user, const QString &password = {}) const
    {
        return u"postgres://%1%2@/%3?host=%4"_s.arg(user, password.isEmpty() ? QString() : u":"_s + password,
                                                    m_database, cluster().directory());
    }
    Configuration configured(const QString &databaseUrl) const
    {
        Configuration configuration;
        configuration.databaseUrl = databaseUrl;
        return configuration;
    }
    static std::expected<Databases, QString> boot(const Configuration &configuration)
    {
        return DatabaseBoot(configuration).start(EmbeddedPostgres::Use::Serve);
    }
    // Who the target's login turns out to be, or why it fails.
    QString whoIs(const db::Target &target)
    {
        try {
            return db::Session(target, m_clock).script(u"SELECT current_user::text AS name"_s).first().text("name");
        } catch (const std::exception &error) {
            return QString::fromUtf8(error.what());
        }
    }

private Q_SLOTS:
    void init()
    {
        static int count = 0;
        m_database = u"boot_%1"_s.arg(++count);
        setHba("local all owner trust\nlocal all all scram-sha-256\n");
        superuser(u"CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'k%ee:p'"_s);
        superuser(u"CREATE DATABASE %1 OWNER keeper"_s.arg(m_database));
    }
    void cleanup()
    {
        superuser(u"DROP DATABASE %1 WITH (FORCE)"_s.arg(m_database));
        superuser(u"DROP ROLE IF EXISTS companion_app; DROP ROLE IF EXISTS companion_operator; DROP ROLE keeper"_s);
    }

    void the_owner_makes_the_roles_with_passwords_that_follow_from_its_own()
    {
        const auto databases = boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s)));
        QVERIFY2(databases, qPrintable(databases ? QString() : databases.error()));
        QCOMPARE(whoIs(databases->app), u"companion_app"_s);
        QCOMPARE(whoIs(databases->operators), u"companion_operator"_s);
        QCOMPARE(databases->applied.size(), db::Migrator::embedded().size());
        QVERIFY(databases->app.password != databases->operators.password);
        const auto again = boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s)));
        QCOMPARE(again->applied, QStringList());
        QCOMPARE(again->app.password, databases->app.password);
    }

    void a_changed_owners_password_changes_theirs()
    {
        QVERIFY(boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s))));
        superuser(u"ALTER ROLE keeper PASSWORD 'other'"_s);
        const auto databases = boot(configured(url(u"keeper"_s, u"other"_s)));
        QVERIFY2(databases, qPrintable(databases ? QString() : databases.error()));
        QCOMPARE(whoIs(databases->app), u"companion_app"_s);
    }

    void several_instances_may_begin_at_once()
    {
        const Configuration configuration = configured(url(u"keeper"_s, u"k%25ee%3Ap"_s));
        std::vector<std::unique_ptr<QThread>> threads;
        std::atomic<int> well = 0;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back(QThread::create([&] { well += boot(configuration).has_value() ? 1 : 0; }));
            threads.back()->start();
        }
        for (const auto &thread : threads)
            thread->wait();
        QCOMPARE(well, 4);
    }

    void an_owner_that_may_not_create_roles_is_told_what_to_have_run()
    {
        superuser(u"ALTER ROLE keeper NOCREATEROLE"_s);
        const auto refused = boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s)));
        QVERIFY(!refused);
        for (const char *part :
             {"CREATE ROLE companion_app LOGIN", "CREATE ROLE companion_operator LOGIN", "DATABASE_APP_URL"})
            QVERIFY2(refused.error().contains(QLatin1StringView(part)), qPrintable(refused.error()));
        // The administrator does so, with passwords of their own.
        superuser(u"CREATE ROLE companion_app LOGIN PASSWORD 'a'; CREATE ROLE companion_operator LOGIN PASSWORD 'o'"_s);
        Configuration configuration = configured(url(u"keeper"_s, u"k%25ee%3Ap"_s));
        configuration.databaseAppUrl = url(u"companion_app"_s, u"a"_s);
        configuration.databaseOperatorUrl = url(u"companion_operator"_s, u"o"_s);
        const auto databases = boot(configuration);
        QVERIFY2(databases, qPrintable(databases ? QString() : databases.error()));
        QCOMPARE(whoIs(databases->operators), u"companion_operator"_s);
    }

    void without_a_password_the_server_must_let_them_in_or_urls_must_be_given()
    {
        setHba("local all all trust\n");
        const auto databases = boot(configured(url(u"keeper"_s)));
        QVERIFY2(databases, qPrintable(databases ? QString() : databases.error()));
        QCOMPARE(whoIs(databases->app), u"companion_app"_s);
        setHba("local all owner trust\nlocal all keeper trust\nlocal all all scram-sha-256\n");
        const auto refused = boot(configured(url(u"keeper"_s)));
        QVERIFY(!refused);
        QVERIFY2(refused.error().contains(u"Set DATABASE_APP_URL and DATABASE_OPERATOR_URL"_s),
                 qPrintable(refused.error()));
    }

    void a_role_above_row_level_security_is_refused()
    {
        superuser(u"CREATE ROLE companion_app LOGIN BYPASSRLS PASSWORD 'a';"
                  "CREATE ROLE companion_operator LOGIN PASSWORD 'o'"_s);
        Configuration configuration = configured(url(u"keeper"_s, u"k%25ee%3Ap"_s));
        configuration.databaseAppUrl = url(u"companion_app"_s, u"a"_s);
        configuration.databaseOperatorUrl = url(u"companion_operator"_s, u"o"_s);
        const auto refused = boot(configuration);
        QVERIFY(!refused);
        QVERIFY2(refused.error().contains(u"bypasses row-level security"_s), qPrintable(refused.error()));
    }

    void a_wrong_password_is_said_at_once_and_not_repeated()
    {
        const auto refused = boot(configured(url(u"keeper"_s, u"hunter2"_s)));
        QVERIFY(!refused);
        QVERIFY2(refused.error().contains(u"password authentication failed"_s), qPrintable(refused.error()));
        QVERIFY(!refused.error().contains(u"hunter2"_s));
    }

    void a_newer_database_is_refused()
    {
        QVERIFY(boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s))));
        superuser(u"INSERT INTO schema_migrations VALUES (9999, '9999_future', 'x')"_s, m_database);
        const auto refused = boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s)));
        QVERIFY(!refused);
        QVERIFY2(refused.error().contains(u"9999_future"_s), qPrintable(refused.error()));
    }

    // The owner is no superuser here, so it stands under FORCE ROW LEVEL SECURITY like everybody.
    void the_owner_is_not_hampered_by_forced_policies()
    {
        QVERIFY(boot(configured(url(u"keeper"_s, u"k%25ee%3Ap"_s))));
        db::Session owner(db::Target::parse(url(u"keeper"_s, u"k%25ee%3Ap"_s)).value(), m_clock);
        owner.script(u"CREATE TABLE mine (user_id uuid); SELECT protect_user_rows('mine', 'SELECT', 'SELECT');"
                     "INSERT INTO mine VALUES (gen_random_uuid())"_s);
        QCOMPARE(owner.script(u"SELECT * FROM mine"_s).size(), 1);
    }
};

QTEST_GUILESS_MAIN(TestDatabaseBoot)
#include "tst_DatabaseBoot.moc"
