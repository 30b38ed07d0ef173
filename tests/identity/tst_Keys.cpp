#include "db/DatabaseError.h"
#include "identity/AccessKeys.h"
#include "identity/AuditLog.h"
#include "identity/FirstAdmin.h"
#include "identity/SignInService.h"
#include "identity/SigningKeys.h"
#include "support/TestDatabase.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::identity;
using namespace std::chrono_literals;

// What the operator's side keeps: signing keys and their rotation, the first admin, the audit log.
class TestKeys : public QObject
{
    Q_OBJECT

    std::unique_ptr<test::TestDatabase> m_db;
    std::unique_ptr<QTemporaryDir> m_dir;

    db::Session &operators() { return m_db->operators(); }
    QDateTime now() { return m_db->clock().now(); }
    QString path() const { return m_dir->filePath(u"admin-access-key"_s); }
    QByteArray fileText() const
    {
        QFile file(path());
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    TokenClaims claims() { return {UserId::create(), DeviceId::create(), {Role::User}, now().addSecs(900)}; }
    void append(const QString &act, const QString &target = u"user:1"_s)
    {
        AuditLog().append(operators(),
                          {.actor = u"cli"_s,
                           .act = act,
                           .target = target,
                           .reason = u"because"_s,
                           .before = QJsonObject{{u"tier"_s, u"free"_s}}});
    }

private Q_SLOTS:
    void init()
    {
        m_db = std::make_unique<test::TestDatabase>();
        m_dir = std::make_unique<QTemporaryDir>();
    }
    void cleanup() { m_db.reset(); }

    void the_first_start_makes_a_signing_key_and_the_next_finds_it()
    {
        const auto first = SigningKeys().load(operators());
        QCOMPARE(first.size(), 1);
        const auto second = SigningKeys().load(operators());
        QCOMPARE(second.first().id, first.first().id);
        QCOMPARE(second.first().secret, first.first().secret);
    }

    // Two instances, each reloading on its own beat, through two rotations: no token is refused by either as long as it
    // lives.
    void keys_rotate_without_signing_anybody_out()
    {
        AccessTokens mine(m_db->clock(), SigningKeys().load(operators()));
        AccessTokens theirs(m_db->clock(), SigningKeys().load(operators()));
        QSet<QByteArray> headers;
        QList<QByteArray> living;
        for (int rotation = 0; rotation < 2; ++rotation) {
            m_db->clock().advance(24h * SigningKeys::signs_days - 3min);
            mine.setKeys(SigningKeys().load(operators()));
            theirs.setKeys(SigningKeys().load(operators()));
            living.clear();
            for (int beat = 0; beat < 12 * 20; ++beat) { // twenty minutes of five seconds
                for (AccessTokens *instance : {&mine, &theirs})
                    living.append(instance->issue(claims()).toLatin1());
                headers.insert(living.last().split('.').first());
                m_db->clock().advance(2s);
                theirs.setKeys(SigningKeys().load(operators()));
                m_db->clock().advance(3s);
                mine.setKeys(SigningKeys().load(operators()));
                living = living.last(std::min<qsizetype>(living.size(), 2 * 900 / 5 - 2)); // the rest has expired
                for (const QByteArray &token : {living.first(), living.at(living.size() / 2), living.last()})
                    QVERIFY(mine.verify(token) && theirs.verify(token));
            }
        }
        QCOMPARE(headers.size(), 3);
        m_db->clock().advance(1h);
        SigningKeys().load(operators());
        QCOMPARE(m_db->owner().script(u"SELECT * FROM signing_keys"_s).size(), 1);
    }

    void a_rotation_before_its_time_publishes_the_next_key_first()
    {
        AccessTokens tokens(m_db->clock(), SigningKeys().load(operators()));
        const QByteArray old = tokens.issue(claims()).toLatin1();
        SigningKeys().rotate(operators(), 10);
        SigningKeys().rotate(operators(), 30); // again, before the first has come to sign
        const auto published = SigningKeys().list(operators());
        QCOMPARE(published.size(), 3);
        QCOMPARE(std::ranges::count_if(published, &SigningKeyState::signs), 1);
        QVERIFY(published.last().signs); // the old one, as yet
        QSet<QByteArray> headers;
        for (int i = 0; i < 9; ++i) {
            tokens.setKeys(SigningKeys().load(operators()));
            const QByteArray fresh = tokens.issue(claims()).toLatin1();
            headers.insert(fresh.split('.').first());
            QVERIFY(tokens.verify(fresh) && tokens.verify(old));
            m_db->clock().advance(5s);
        }
        QCOMPARE(headers.size(), 3); // each had its turn
        m_db->clock().advance(850s);
        QVERIFY(tokens.verify(old));
    }

    void a_clock_that_jumps_ahead_and_back_leaves_a_key_that_signs()
    {
        AccessTokens tokens(m_db->clock(), SigningKeys().load(operators()));
        for (const auto jump : {24h * 400, -24h * 399, 24h * 2, -24h * 2, 1h, -1h}) {
            m_db->clock().advance(jump);
            for (int beat = 0; beat < 3; ++beat) {
                m_db->clock().advance(150s);
                tokens.setKeys(SigningKeys().load(operators()));
                QVERIFY(tokens.verify(tokens.issue(claims()).toLatin1()));
            }
        }
    }

    void a_leaked_key_stops_at_once_and_signs_everybody_out()
    {
        AccessTokens tokens(m_db->clock(), SigningKeys().load(operators()));
        const QByteArray token = tokens.issue(claims()).toLatin1();
        const AccessKeyProvider provider;
        const SignInService service(tokens, {&provider});
        const auto user = AccountStore().create(operators(), {.displayName = u"Ada"_s, .email = u"a@b"_s}, now());
        const QString key = AccessKeys().create(operators(), user->id(), {}).key;
        const auto grant = service.login(operators(), {.provider = LoginProvider::AccessKey, .token = key}, {});
        QCOMPARE(SigningKeys().replaceAll(operators()), 1);

        const auto held = tokens.verify(grant->accessToken.toLatin1()); // an instance that has not reloaded yet
        QVERIFY(held);
        QCOMPARE(AccountStore().account(operators(), *held, now()).error().code, ErrorCode::Unauthenticated);
        QCOMPARE(service.refresh(operators(), grant->refreshToken, {}).error().code, ErrorCode::Unauthenticated);
        tokens.setKeys(SigningKeys().load(operators()));
        QVERIFY(!tokens.verify(token));
        QVERIFY(service.login(operators(), {.provider = LoginProvider::AccessKey, .token = key}, {}));
        QCOMPARE(SigningKeys().list(operators()).size(), 1);
    }

    void the_first_start_leaves_a_private_file_with_an_admins_key()
    {
        const auto admin = ensureFirstAdmin(operators(), m_dir->path());
        QVERIFY(admin);
        QVERIFY(admin->made);
        QCOMPARE(fileText(), admin->accessKey.toLatin1() + '\n');
        QCOMPARE(QFile::permissions(path())
                     & (QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther),
                 QFile::Permissions());
        const auto who = AccessKeyProvider().verify(operators(), admin->accessKey);
        QVERIFY(AccountStore().find(operators(), who->user, now())->has(Role::Admin));
        QCOMPARE(QDir(m_dir->path()).entryList(QDir::Files), QStringList{u"admin-access-key"_s}); // nothing left over
    }

    void the_next_start_leaves_a_good_file_alone_but_makes_it_private_again()
    {
        const auto first = ensureFirstAdmin(operators(), m_dir->path());
        QFile::setPermissions(path(), QFile::ReadOwner | QFile::ReadOther);
        const auto second = ensureFirstAdmin(operators(), m_dir->path());
        QVERIFY(!second->made);
        QCOMPARE(second->accessKey, first->accessKey);
        QVERIFY(!(QFile::permissions(path()) & QFile::ReadOther));
        QCOMPARE(AccessKeys().list(operators()).size(), 1);
    }

    void a_lost_or_foreign_file_is_written_anew_for_the_same_admin()
    {
        const auto first = ensureFirstAdmin(operators(), m_dir->path());
        QVERIFY(QFile::remove(path()));
        const auto second = ensureFirstAdmin(operators(), m_dir->path());
        QVERIFY(second->made);
        QVERIFY(second->accessKey != first->accessKey);
        QVERIFY(AccessKeys().revoke(operators(), second->accessKey));
        const auto third = ensureFirstAdmin(operators(), m_dir->path());
        QVERIFY(third->made);
        QCOMPARE(AccessKeyProvider().verify(operators(), third->accessKey)->user,
                 AccessKeyProvider().verify(operators(), first->accessKey)->user);
        QCOMPARE(m_db->owner().script(u"SELECT * FROM users"_s).size(), 1);
    }

    void suspending_the_first_admin_closes_this_way_in()
    {
        const auto first = ensureFirstAdmin(operators(), m_dir->path());
        const auto who = AccessKeyProvider().verify(operators(), first->accessKey)->user;
        QVERIFY(AccountStore().change(operators(), who, {.status = UserStatus::Suspended}, now()));
        const auto second = ensureFirstAdmin(operators(), m_dir->path());
        QVERIFY(second->accessKey.isEmpty());
        QVERIFY(!second->made);
    }

    void a_directory_that_cannot_be_written_is_named()
    {
        const auto admin = ensureFirstAdmin(operators(), u"/proc/nowhere"_s);
        QVERIFY(!admin);
        QVERIFY(admin.error().contains(u"/proc/nowhere/admin-access-key"_s));
    }

    void the_audit_log_keeps_who_what_and_why()
    {
        append(u"user.suspend"_s, u"user:1"_s);
        append(u"user.restore"_s, u"user:1"_s);
        append(u"user.suspend"_s, u"user:2"_s);
        const auto all = AuditLog().list(operators(), {}, {});
        QCOMPARE(all->items.size(), 3);
        QCOMPARE(all->items.first().target, u"user:2"_s); // newest first
        QCOMPARE(all->items.first().before, (QJsonObject{{u"tier"_s, u"free"_s}}));
        QVERIFY(!all->items.first().after);
        QCOMPARE(all->items.first().createdAt, now());
        QCOMPARE(AuditLog().list(operators(), {.act = u"user.suspend"_s}, {})->items.size(), 2);
        QCOMPARE(AuditLog().list(operators(), {.target = u"user:1"_s}, {})->items.size(), 2);
        QCOMPARE(AuditLog().list(operators(), {.to = now()}, {})->items.size(), 0);
    }

    void the_audit_log_is_read_by_cursor()
    {
        for (int i = 0; i < 5; ++i)
            append(u"user.set_%1"_s.arg(i));
        QStringList acts;
        PageRequest page{.limit = 2, .cursor = {}};
        for (;;) {
            const auto part = AuditLog().list(operators(), {}, page);
            for (const AuditRecord &record : part->items)
                acts.append(record.act);
            if (!part->hasMore)
                break;
            page.cursor = part->nextCursor;
        }
        QCOMPARE(acts.size(), 5);
        QCOMPARE(acts.last(), u"user.set_0"_s);
        QCOMPARE(AuditLog().list(operators(), {}, {.cursor = u"x"_s}).error().code, ErrorCode::Invalid);
    }

    void nobody_changes_the_audit_log_data()
    {
        QTest::addColumn<bool>("asOwner");
        QTest::addColumn<QString>("sql");
        for (const bool asOwner : {false, true})
            for (const char *sql : {"UPDATE audit_log SET reason = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"})
                QTest::addRow("%s%s", asOwner ? "owner: " : "operator: ", sql) << asOwner << QString::fromLatin1(sql);
    }
    void nobody_changes_the_audit_log()
    {
        QFETCH(bool, asOwner);
        QFETCH(QString, sql);
        append(u"user.suspend"_s);
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError, (asOwner ? m_db->owner() : operators()).script(sql));
        QCOMPARE(AuditLog().list(operators(), {}, {})->items.first().reason, u"because"_s);
    }

    void a_tampered_audit_log_is_noticed_data()
    {
        QTest::addColumn<QString>("sql");
        QTest::addColumn<qint64>("sequence");
        QTest::addColumn<QString>("rule");
        QTest::newRow("reason") << u"UPDATE audit_log SET reason = 'x' WHERE sequence = 2"_s << qint64(2)
                                << u"changed_text"_s;
        QTest::newRow("before") << u"UPDATE audit_log SET before = NULL WHERE sequence = 2"_s << qint64(2)
                                << u"changed_text"_s;
        QTest::newRow("actor") << u"UPDATE audit_log SET actor = 'x' WHERE sequence = 2"_s << qint64(2)
                               << u"broken_chain"_s;
        QTest::newRow("time") << u"UPDATE audit_log SET at_time = at_time + interval '1 us' WHERE sequence = 2"_s
                              << qint64(2) << u"broken_chain"_s;
        QTest::newRow("row gone") << u"DELETE FROM audit_log WHERE sequence = 2"_s << qint64(3) << u"missing_row"_s;
        QTest::newRow("first row gone") << u"DELETE FROM audit_log WHERE sequence = 1"_s << qint64(2)
                                        << u"missing_row"_s;
    }
    void a_tampered_audit_log_is_noticed()
    {
        QFETCH(QString, sql);
        for (int i = 0; i < 4; ++i)
            append(u"user.suspend"_s);
        QVERIFY(AuditLog().verify(operators()).isEmpty());
        m_db->owner().script(u"ALTER TABLE audit_log DISABLE TRIGGER ALL"_s);
        m_db->owner().script(sql);
        const auto breaches = AuditLog().verify(operators());
        QVERIFY(!breaches.isEmpty());
        QTEST(breaches.first().sequence, "sequence");
        QTEST(breaches.first().rule, "rule");
    }
};

QTEST_GUILESS_MAIN(TestKeys)
#include "tst_Keys.moc"
