#include "app/AccessKeyCommand.h"
#include "app/UserCommand.h"
#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"
#include "support/TestDatabase.h"

#include <QJsonDocument>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::app;

// access-key and user, from their arguments to the database, as an operator types them.
class TestCommands : public QObject
{
    Q_OBJECT

    std::unique_ptr<test::TestDatabase> m_db;

    db::Session &operators() { return m_db->operators(); }
    Outcome run(const QString &line)
    {
        QStringList args = line.split(u' ', Qt::SkipEmptyParts);
        const QString name = args.takeFirst();
        const auto command = name == u"user" ? userCommand(args) : accessKeyCommand(args);
        return command ? command->run({.operators = operators()}) : command.error();
    }
    static QJsonObject json(const Outcome &outcome) { return QJsonDocument::fromJson(outcome.out.toUtf8()).object(); }
    std::optional<identity::Account> user(const QString &email = u"ada@example.org"_s)
    {
        return identity::AccountStore().findByEmail(operators(), email, m_db->clock().now());
    }
    QList<identity::AuditRecord> log() { return identity::AuditLog().list(operators(), {}, {})->items; }

private Q_SLOTS:
    void initTestCase() { m_db = std::make_unique<test::TestDatabase>(); }
    void init()
    {
        m_db->owner().script(u"ALTER TABLE audit_log DISABLE TRIGGER USER; DELETE FROM audit_log; "
                             "ALTER TABLE audit_log ENABLE TRIGGER USER; "
                             "UPDATE users SET email = id || '@gone'"_s);
    }
    void cleanupTestCase() { m_db.reset(); }

    void a_key_is_made_with_its_user()
    {
        const auto made = run(u"access-key create --user ada@example.org --tier vip --age-verified --region de"_s);
        QCOMPARE(made.exitCode, 0);
        QCOMPARE(made.err, QString());
        QCOMPARE(made.out.count(u'\n'), 1); // one line
        QCOMPARE(json(made).keys(), (QStringList{u"access_key"_s, u"user_id"_s}));
        QCOMPARE(json(made).value("user_id"_L1).toString(), user()->id().toString());
        QCOMPARE(user()->tier(), Tier::Vip);
        QVERIFY(user()->user.ageVerified);
        QCOMPARE(user()->user.region, u"DE"_s);
        QCOMPARE(user()->user.displayName, u"ada"_s);
        QCOMPARE(user()->user.roles, QList{Role::User});
        const auto proof =
            identity::AccessKeyProvider().verify(operators(), json(made).value("access_key"_L1).toString());
        QCOMPARE(proof->user, user()->id());
        QVERIFY(!proof->narrowedTo);
    }

    void a_second_key_is_the_same_users_and_narrows()
    {
        const auto first = run(u"access-key create --user ada@example.org --role admin --role support"_s);
        QCOMPARE(user()->user.roles, (QList{Role::User, Role::Admin, Role::Support}));
        const auto second = run(u"access-key create --user ADA@example.org --role support"_s);
        QCOMPARE(json(second).value("user_id"_L1), json(first).value("user_id"_L1));
        const auto proof =
            identity::AccessKeyProvider().verify(operators(), json(second).value("access_key"_L1).toString());
        QCOMPARE(proof->narrowedTo, (QList{Role::User, Role::Support}));
        QCOMPARE(user()->user.roles, (QList{Role::User, Role::Admin, Role::Support})); // nothing was taken
    }

    void keys_are_listed_without_their_secret_and_revoked_once()
    {
        const QString key = json(run(u"access-key create --user ada@example.org"_s)).value("access_key"_L1).toString();
        const auto text = run(u"access-key list --user ada@example.org"_s);
        QVERIFY(text.out.contains(key.first(21)));
        QVERIFY(!text.out.contains(key));
        const auto listed = json(run(u"access-key list --user ada@example.org --json"_s)).value("items"_L1).toArray();
        QCOMPARE(listed.size(), 1);

        QCOMPARE(run(u"access-key revoke "_s + listed.at(0).toObject().value("id"_L1).toString()).exitCode, 0);
        QVERIFY(!identity::AccessKeyProvider().verify(operators(), key));
        QCOMPARE(run(u"access-key revoke "_s + key).exitCode, 0); // again: fine
        QVERIFY(run(u"access-key list --user ada@example.org"_s).out.contains(u"revoked"_s));
        QCOMPARE(run(u"access-key revoke ak-companion-nothing"_s).exitCode, 1);
    }

    void a_users_standing_is_set()
    {
        run(u"access-key create --user ada@example.org"_s);
        const auto set =
            run(u"user set ada@example.org --tier premium --age-verified --region FR --status suspended --json"_s);
        QCOMPARE(set.exitCode, 0);
        QCOMPARE(json(set).value("tier"_L1), u"premium"_s);
        QCOMPARE(user()->status, UserStatus::Suspended);
        QCOMPARE(user()->tier(), Tier::Premium);
        QCOMPARE(run(u"user set ada@example.org --status active --tier free"_s).exitCode, 0);
        QCOMPARE(user()->status, UserStatus::Active);
        QCOMPARE(user()->tier(), Tier::Free);
        QVERIFY(user()->user.ageVerified); // what is not named stays
        QCOMPARE(run(u"user set ada@example.org --role viewer"_s).exitCode, 0);
        QCOMPARE(user()->user.roles, (QList{Role::User, Role::Viewer}));
    }

    void credits_are_granted_through_the_ledger()
    {
        run(u"access-key create --user ada@example.org"_s);
        const auto set = run(u"user set ada@example.org --json --grant purchased:12.5 --grant bonus:3:2026-12-31 "
                             "--grant bonus:1 --grant daily_free:2"_s);
        QCOMPARE(set.err, QString());
        const QJsonObject balance = json(set).value("balance"_L1).toObject();
        QCOMPARE(balance.value("purchased"_L1), u"12.5000"_s);
        QCOMPARE(balance.value("bonus"_L1), u"4.0000"_s);
        QCOMPARE(balance.value("daily_free"_L1), u"12.0000"_s); // the free tier's 10 and these 2
        const ledger::Ledger ledger;
        QVERIFY(ledger.audit(operators(), user()->id()).isEmpty());
        const auto whole = ledger.balance(operators(), user()->id(), *Credits::parse(u"10"));
        QVERIFY(std::ranges::any_of(whole->lots, [](const Lot &lot) {
            return lot.bucket == Bucket::Bonus
                && lot.expiresAt == QDateTime(QDate(2027, 1, 1), QTime(0, 0), Qt::UTC); // the 31st counts whole
        }));
    }

    void a_refused_grant_leaves_nothing_behind()
    {
        run(u"access-key create --user ada@example.org"_s);
        const auto set = run(u"user set ada@example.org --tier vip --grant purchased:1 --grant bonus:1:2020-01-01"_s);
        QCOMPARE(set.exitCode, 1);
        QVERIFY(!set.err.isEmpty());
        QCOMPARE(set.out, QString());
        QCOMPARE(user()->tier(), Tier::Free);
        QCOMPARE(ledger::Ledger().balance(operators(), user()->id(), *Credits::parse(u"10"))->purchased, Credits());
        QCOMPARE(log().size(), 1); // the key's
    }

    void every_change_is_in_the_audit_log_without_secrets_or_names()
    {
        const QString key = json(run(u"access-key create --user ada@example.org"_s)).value("access_key"_L1).toString();
        run(u"user set ada@example.org --status suspended --grant bonus:5"_s);
        run(u"access-key revoke "_s + key);
        const auto records = log();
        QCOMPARE(records.size(), 3);
        QCOMPARE(records[0].act, u"access_key.revoke"_s);
        QCOMPARE(records[1].act, u"user.set"_s);
        QCOMPARE(records[2].act, u"access_key.create"_s);
        QCOMPARE(records[1].actor, u"cli"_s);
        QCOMPARE(records[1].target, u"user:"_s + user()->id().toString());
        QCOMPARE(records[1].before->value("status"_L1), u"active"_s);
        QCOMPARE(records[1].after->value("status"_L1), u"suspended"_s);
        QCOMPARE(records[1].after->value("grants"_L1), QJsonArray{u"bonus:5.0000"_s});
        for (const auto &record : records) {
            const QByteArray all = QJsonDocument(toJson(record)).toJson();
            QVERIFY(!all.contains("ada@")); // the name alone is hexadecimal: ids have it now and then
            QVERIFY(!all.contains("\"ada\""));
            QVERIFY(!all.contains(key.mid(21).toLatin1()));
        }
    }

    void wrong_usage_is_exit_2_and_names_the_argument_data()
    {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("names");
        const auto row = [](const char *line, const char *names) {
            QTest::newRow(line) << QString::fromLatin1(line) << QString::fromLatin1(names);
        };
        row("access-key", "Usage: companion-backend access-key");
        row("access-key make", "Usage: companion-backend access-key");
        row("access-key create", "--user EMAIL is missing");
        row("access-key create --user", "user");
        row("access-key create --user ada", "ada");
        row("access-key create --user a@b --role boss", "--role takes user, admin, finance, support, qa, viewer");
        row("access-key create --user a@b --tier gold", "--tier takes free, premium, vip");
        row("access-key create --user a@b --region Germany", "--region");
        row("access-key create --user a@b --nonsense", "nonsense");
        row("access-key create --user a@b more", "more");
        row("access-key revoke", "KEY is missing");
        row("access-key revoke a b", "b");
        row("user", "Usage: companion-backend user");
        row("user set", "EMAIL is missing");
        row("user set a@b", "Say what to change");
        row("user set a@b --json", "Say what to change");
        row("user set a@b c@d --tier vip", "c@d");
        row("user set a@b --status erased", "--status takes active or suspended");
        row("user set a@b --status gone", "--status");
        row("user set a@b --grant", "grant");
        row("user set a@b --grant bonus", "--grant bonus");
        row("user set a@b --grant gold:1", "the bucket is");
        row("user set a@b --grant bonus:x", "the amount is");
        row("user set a@b --grant bonus:0", "the amount is");
        row("user set a@b --grant bonus:-1", "the amount is");
        row("user set a@b --grant bonus:0.00001", "the amount is");
        row("user set a@b --grant bonus:1:soon", "the expiry is");
        row("user set a@b --grant bonus:1:", "the expiry is");
        row("user set a@b --grant purchased:1:2027-01-01", "only bonus credit");
    }
    void wrong_usage_is_exit_2_and_names_the_argument()
    {
        QFETCH(QString, line);
        QFETCH(QString, names);
        const auto outcome = run(line);
        QCOMPARE(outcome.exitCode, 2);
        QCOMPARE(outcome.out, QString());
        QVERIFY2(outcome.err.contains(names), qPrintable(outcome.err));
    }

    void a_user_who_is_not_there_is_exit_1()
    {
        const auto outcome = run(u"user set nobody@example.org --tier vip"_s);
        QCOMPARE(outcome.exitCode, 1);
        QVERIFY(outcome.err.contains(u"nobody@example.org"_s));
        QCOMPARE(run(u"access-key list --user nobody@example.org"_s).exitCode, 1);
    }

    void every_command_has_help_data()
    {
        QTest::addColumn<QString>("line");
        for (const char *line : {"access-key --help", "access-key create --help", "access-key list -h",
                                 "access-key revoke --help", "user --help", "user set --help"})
            QTest::newRow(line) << QString::fromLatin1(line);
    }
    void every_command_has_help()
    {
        QFETCH(QString, line);
        const auto outcome = run(line);
        QCOMPARE(outcome.exitCode, 0);
        QVERIFY(outcome.out.startsWith(u"Usage: companion-backend "_s));
        QCOMPARE(outcome.err, QString());
    }

    void the_data_directory_is_told()
    {
        QCOMPARE(accessKeyCommand({u"list"_s, u"--data"_s, u"/srv/x"_s})->dataDir, u"/srv/x"_s);
        QCOMPARE(userCommand({u"set"_s, u"--data=/srv/x"_s, u"a@b"_s, u"--age-verified"_s})->dataDir, u"/srv/x"_s);
        QVERIFY(accessKeyCommand({u"list"_s})->dataDir.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestCommands)
#include "tst_Commands.moc"
