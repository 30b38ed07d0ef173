#include "common/Bug.h"
#include "db/DatabaseError.h"
#include "identity/AccessKeys.h"
#include "identity/ApiKeyService.h"
#include "identity/AuditLog.h"
#include "identity/SignInService.h"
#include "identity/SigningKeys.h"
#include "support/TestDatabase.h"

#include <QTest>
#include <atomic>
#include <barrier>
#include <thread>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::identity;
using namespace std::chrono_literals;

// The user's way in, against a real database: keys, devices, refreshing, suspension, row-level security.
class TestSignIn : public QObject
{
    Q_OBJECT

    std::unique_ptr<test::TestDatabase> m_db;
    std::unique_ptr<AccessTokens> m_tokens;
    std::unique_ptr<SignInService> m_service;
    AccessKeyProvider m_provider;
    AccountStore m_accounts;

    db::Session &operators() { return m_db->operators(); }
    QDateTime now() { return m_db->clock().now(); }

    Account makeUser(const QString &email, QList<Role> roles = {Role::User})
    {
        return *m_accounts.create(operators(), {.displayName = u"Test"_s, .email = email, .roles = roles}, now());
    }
    QString makeKey(const Account &account, std::optional<QList<Role>> roles = {})
    {
        return AccessKeys().create(operators(), account.id(), roles).key;
    }
    Result<TokenGrant> login(const QString &key)
    {
        return m_service->login(operators(), {.provider = LoginProvider::AccessKey, .token = key}, u"curl/8"_s);
    }
    TokenGrant signedIn(const Account &account) { return *login(makeKey(account)); }
    Result<TokenGrant> refresh(const QString &token) { return m_service->refresh(operators(), token, u"req-1"_s); }
    TokenClaims claimsOf(const TokenGrant &grant)
    {
        const auto claims = m_tokens->verify(grant.accessToken.toLatin1());
        ensure(claims.has_value(), "the access token is good");
        return *claims;
    }
    // What every signed-in act does first.
    Result<Account> asking(const TokenGrant &grant)
    {
        const auto claims = claimsOf(grant);
        db::Transaction transaction(m_db->app(), claims.user);
        auto account = m_accounts.account(m_db->app(), claims, now());
        transaction.commit();
        return account;
    }
    void suspend(const Account &account, UserStatus status = UserStatus::Suspended)
    {
        QVERIFY(m_accounts.change(operators(), account.id(), {.status = status}, now()));
    }
    static ErrorCode code(const auto &result)
    {
        ensure(!result.has_value(), "it was refused");
        return result.error().code;
    }

private Q_SLOTS:
    void init()
    {
        m_db = std::make_unique<test::TestDatabase>();
        m_tokens = std::make_unique<AccessTokens>(m_db->clock(), SigningKeys().load(operators()));
        m_service = std::make_unique<SignInService>(*m_tokens, QList<const IdentityProvider *>{&m_provider});
    }
    void cleanup()
    {
        m_service.reset();
        m_tokens.reset();
        m_db.reset();
    }

    void an_access_key_signs_in()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto grant = login(makeKey(ada));
        QVERIFY(grant);
        QCOMPARE(grant->tokenType, u"Bearer"_s);
        QCOMPARE(grant->expiresIn, 900);
        QCOMPARE(grant->user.id, ada.id());
        QCOMPARE(claimsOf(*grant).user, ada.id());
        QCOMPARE(asking(*grant)->id(), ada.id());
    }

    void no_secret_is_kept_in_clear()
    {
        const QString key = makeKey(makeUser(u"ada@example.org"_s));
        const auto grant = login(key);
        for (const char *table : {"access_keys", "refresh_tokens", "devices", "users", "audit_log"})
            for (const db::Row &row :
                 m_db->owner().script(u"SELECT t::text AS row FROM %1 t"_s.arg(QString::fromLatin1(table)))) {
                QVERIFY(!row.text("row").contains(key.mid(22)));
                QVERIFY(!row.text("row").contains(grant->refreshToken.mid(22)));
            }
    }

    void a_wrong_key_is_refused_alike_whatever_is_wrong_with_it()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const QString revoked = makeKey(ada);
        QVERIFY(AccessKeys().revoke(operators(), revoked));
        const auto wrong = login(u"ak-companion-nothing"_s), was = login(revoked);
        QCOMPARE(code(wrong), ErrorCode::Unauthenticated);
        QCOMPARE(code(was), ErrorCode::Unauthenticated);
        QCOMPARE(wrong.error().detail, was.error().detail);
    }

    void a_provider_that_is_not_configured_is_named()
    {
        const auto grant = m_service->login(operators(), {.provider = LoginProvider::Firebase, .token = u"x"_s}, {});
        QCOMPARE(code(grant), ErrorCode::Invalid);
        QCOMPARE(grant.error().errors.first().pointer, u"/provider"_s);
    }

    void refreshing_rotates_and_keeps_the_device()
    {
        const auto first = signedIn(makeUser(u"ada@example.org"_s));
        m_db->clock().advance(10min);
        const auto second = refresh(first.refreshToken);
        QVERIFY(second);
        QVERIFY(second->refreshToken != first.refreshToken);
        QVERIFY(second->accessToken != first.accessToken);
        QCOMPARE(claimsOf(*second).device, claimsOf(first).device);
        QVERIFY(refresh(second->refreshToken));
    }

    void an_old_refresh_token_ends_the_whole_family()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto other = signedIn(ada), first = signedIn(ada);
        const auto second = refresh(first.refreshToken);
        QVERIFY(asking(*second));

        QCOMPARE(code(refresh(first.refreshToken)), ErrorCode::Unauthenticated); // the thief, or the owner after him
        QCOMPARE(code(refresh(second->refreshToken)), ErrorCode::Unauthenticated);
        QCOMPARE(code(asking(*second)), ErrorCode::Unauthenticated); // the access token too, at once
        QVERIFY(asking(other)); // the user's other device stays

        const auto log = AuditLog().list(operators(), {.target = auditTarget(ada.id())}, {});
        QCOMPARE(log->items.size(), 1); // said once
        QCOMPARE(log->items.first().act, u"device.end_on_reuse"_s);
        QCOMPARE(log->items.first().requestId, u"req-1"_s);
    }

    void of_many_refreshes_with_one_token_one_wins_and_the_family_ends()
    {
        const auto first = signedIn(makeUser(u"ada@example.org"_s));
        std::atomic<int> won = 0, lost = 0;
        std::barrier start(16); // connected first, or the connecting would keep them apart
        QString winner;
        std::vector<std::thread> threads;
        for (int i = 0; i < 16; ++i)
            threads.emplace_back([&] {
                db::Session session(m_db->operatorTarget(), m_db->clock());
                session.makeReady();
                start.arrive_and_wait();
                const auto grant = m_service->refresh(session, first.refreshToken, {});
                if (grant && ++won == 1)
                    winner = grant->refreshToken;
                else if (!grant && grant.error().code == ErrorCode::Unauthenticated)
                    ++lost;
            });
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(won.load(), 1);
        QCOMPARE(lost.load(), 15);
        QCOMPARE(code(refresh(winner)), ErrorCode::Unauthenticated);
    }

    void a_refresh_token_lives_thirty_days_from_its_last_use()
    {
        auto grant = signedIn(makeUser(u"ada@example.org"_s));
        for (int i = 0; i < 3; ++i) {
            m_db->clock().advance(24h * 30 - 1s);
            const auto next = refresh(grant.refreshToken);
            QVERIFY(next);
            grant = *next;
        }
        m_db->clock().advance(24h * 30);
        QCOMPARE(code(refresh(grant.refreshToken)), ErrorCode::Unauthenticated);
    }

    // Each row: how far the clock is moved between the sign-in and the refresh, and what comes of it.
    void clocks_move_data()
    {
        QTest::addColumn<qint64>("by_s");
        QTest::addColumn<bool>("refreshes");
        constexpr qint64 days = 24 * 3600;
        QTest::newRow("not at all") << qint64(0) << true;
        QTest::newRow("a second back") << qint64(-1) << true;
        QTest::newRow("a year back") << -365 * days << true;
        QTest::newRow("to the last second") << 30 * days - 1 << true;
        QTest::newRow("to the end") << 30 * days << false;
        QTest::newRow("a century ahead") << 36500 * days << false;
    }
    void clocks_move()
    {
        QFETCH(qint64, by_s);
        const auto grant = signedIn(makeUser(u"ada@example.org"_s));
        m_db->clock().advance(std::chrono::seconds(by_s));
        QTEST(refresh(grant.refreshToken).has_value(), "refreshes");
    }

    void a_clock_put_right_again_brings_no_ended_family_back()
    {
        const auto first = signedIn(makeUser(u"ada@example.org"_s));
        const auto second = refresh(first.refreshToken);
        m_db->clock().advance(24h * 40); // wrong by forty days when the thief comes
        QCOMPARE(code(refresh(first.refreshToken)), ErrorCode::Unauthenticated);
        m_db->clock().advance(-24h * 40);
        QCOMPARE(code(refresh(second->refreshToken)), ErrorCode::Unauthenticated);
        QCOMPARE(code(asking(*second)), ErrorCode::Unauthenticated);
    }

    void any_older_token_of_the_family_ends_it()
    {
        for (const int which : {0, 1, 4}) {
            QStringList tokens{signedIn(makeUser(u"ada%1@example.org"_s.arg(which))).refreshToken};
            for (int i = 0; i < 5; ++i)
                tokens.append(refresh(tokens.last())->refreshToken);
            QCOMPARE(code(refresh(tokens.at(which))), ErrorCode::Unauthenticated);
            QCOMPARE(code(refresh(tokens.last())), ErrorCode::Unauthenticated);
        }
        const auto records = AuditLog().list(operators(), {.act = u"device.end_on_reuse"_s}, {});
        QCOMPARE(records->items.size(), 3); // once each, not for the tries after
    }

    // The answer is lost on its way, and the client sends the same again: there is no grace (docs/roles.md says why),
    // the device signs in again; what it did before the loss goes on being refused too.
    void a_refresh_repeated_after_a_lost_answer_ends_the_device()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const QString key = makeKey(ada);
        const auto grant = login(key);
        QVERIFY(refresh(grant->refreshToken)); // lost
        QCOMPARE(code(refresh(grant->refreshToken)), ErrorCode::Unauthenticated);
        QCOMPARE(code(asking(*grant)), ErrorCode::Unauthenticated);
        QVERIFY(asking(*login(key)));
    }

    // A refusal that is not the token's fault leaves it unused: it can be sent again.
    void a_refresh_that_was_refused_for_the_users_standing_is_not_used_up()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto grant = signedIn(ada);
        suspend(ada);
        for (int i = 0; i < 3; ++i)
            QCOMPARE(code(refresh(grant.refreshToken)), ErrorCode::AccountSuspended);
        suspend(ada, UserStatus::Active);
        QVERIFY(refresh(grant.refreshToken));
    }

    void a_suspension_works_at_once_and_can_be_lifted()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const QString key = makeKey(ada);
        const auto grant = login(key);
        suspend(ada);
        QCOMPARE(code(asking(*grant)), ErrorCode::AccountSuspended);
        QCOMPARE(code(refresh(grant->refreshToken)), ErrorCode::AccountSuspended);
        QCOMPARE(code(login(key)), ErrorCode::AccountSuspended);
        suspend(ada, UserStatus::Active);
        QVERIFY(asking(*grant));
        QVERIFY(refresh(grant->refreshToken));
    }

    void an_erased_user_is_nobody()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto grant = signedIn(ada);
        m_db->owner().script(u"UPDATE users SET status = 'erased', email = NULL, display_name = ''"_s);
        QCOMPARE(code(asking(grant)), ErrorCode::Unauthenticated);
        QCOMPARE(code(refresh(grant.refreshToken)), ErrorCode::Unauthenticated);
        QCOMPARE(code(m_accounts.change(operators(), ada.id(), {.displayName = u"x"_s}, now())), ErrorCode::NotFound);
    }

    void signing_out_ends_this_device_only()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto phone = signedIn(ada), laptop = signedIn(ada);
        {
            db::Transaction transaction(m_db->app(), ada.id());
            m_service->logout(m_db->app(), ada.id(), claimsOf(phone).device);
            transaction.commit();
        }
        QCOMPARE(code(asking(phone)), ErrorCode::Unauthenticated);
        QCOMPARE(code(refresh(phone.refreshToken)), ErrorCode::Unauthenticated);
        QVERIFY(asking(laptop));
    }

    void devices_are_listed_and_taken_away_by_their_owner_only()
    {
        const Account ada = makeUser(u"ada@example.org"_s), bob = makeUser(u"bob@example.org"_s);
        const auto phone = signedIn(ada), laptop = signedIn(ada), bobs = signedIn(bob);
        db::Transaction transaction(m_db->app(), ada.id());
        db::Session &app = m_db->app();
        const auto devices = m_service->devices(app, ada.id(), claimsOf(phone).device, {});
        QCOMPARE(devices.total, 2);
        QCOMPARE(std::ranges::count_if(devices.items, &Device::current), 1);
        QCOMPARE(devices.items.first().userAgent, u"curl/8"_s);
        QCOMPARE(code(m_service->revokeDevice(app, ada.id(), claimsOf(bobs).device)), ErrorCode::NotFound);
        QCOMPARE(code(m_service->revokeDevice(app, bob.id(), claimsOf(bobs).device)), ErrorCode::NotFound); // RLS
        QVERIFY(m_service->revokeDevice(app, ada.id(), claimsOf(laptop).device));
        transaction.commit();
        QCOMPARE(code(asking(laptop)), ErrorCode::Unauthenticated);
        QVERIFY(asking(bobs));
    }

    void a_page_of_devices_knows_whether_there_is_more()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        for (int i = 0; i < 3; ++i)
            signedIn(ada);
        const auto first = m_service->devices(operators(), ada.id(), {}, {.limit = 2, .cursor = {}});
        QCOMPARE(first.items.size(), 2);
        QVERIFY(first.hasMore);
        const auto last = m_service->devices(operators(), ada.id(), {}, {.limit = 2, .offset = 2, .cursor = {}});
        QCOMPARE(last.items.size(), 1);
        QVERIFY(!last.hasMore);
    }

    void revoking_an_access_key_signs_out_what_it_let_in()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const QString key = makeKey(ada);
        const auto withIt = login(key), without = login(makeKey(ada));
        QVERIFY(AccessKeys().revoke(operators(), key.first(21))); // by its prefix
        QCOMPARE(code(asking(*withIt)), ErrorCode::Unauthenticated);
        QCOMPARE(code(refresh(withIt->refreshToken)), ErrorCode::Unauthenticated);
        QVERIFY(asking(*without));
        QCOMPARE(code(AccessKeys().revoke(operators(), u"ak-companion-"_s)), ErrorCode::NotFound);
    }

    void a_key_may_narrow_the_users_roles_and_never_widens_them()
    {
        const Account ada = makeUser(u"ada@example.org"_s, {Role::User, Role::Support, Role::Finance});
        const auto whole = signedIn(ada);
        QCOMPARE(asking(whole)->user.roles, (QList{Role::User, Role::Support, Role::Finance}));

        const auto narrow = login(makeKey(ada, QList{Role::Support, Role::Admin}));
        QCOMPARE(narrow->user.roles, (QList{Role::User, Role::Support}));
        QCOMPARE(asking(*narrow)->user.roles, (QList{Role::User, Role::Support}));
        QVERIFY(!asking(*narrow)->hasAny({Role::Finance}));

        // A role that is taken away is gone at once; one that is given comes with the next token.
        QVERIFY(m_accounts.change(operators(), ada.id(), {.roles = QList{Role::User, Role::Admin}}, now()));
        QCOMPARE(asking(*narrow)->user.roles, (QList{Role::User}));
        QCOMPARE(asking(whole)->user.roles, (QList{Role::User}));
        QCOMPARE(refresh(narrow->refreshToken)->user.roles, (QList{Role::User, Role::Admin}));
    }

    void a_paid_tier_ends_by_itself()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto until = now().addDays(1);
        QCOMPARE(m_accounts.setTier(operators(), ada.id(), Tier::Vip, until, now())->user.tierExpiresAt, until);
        const auto grant = signedIn(ada);
        m_db->clock().advance(24h - 1s);
        QCOMPARE(m_accounts.account(operators(), ada.id(), now())->tier(), Tier::Vip);
        m_db->clock().advance(1s);
        const auto after = m_accounts.account(operators(), ada.id(), now());
        QCOMPARE(after->tier(), Tier::Free);
        QVERIFY(!after->user.tierExpiresAt);
    }

    void having_been_seen_is_noted_every_five_minutes_and_changes_no_version()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto grant = signedIn(ada);
        const auto seen = [&] {
            return m_db->owner().script(u"SELECT last_seen_at FROM users"_s).first().time("last_seen_at");
        };
        const QDateTime first = now();
        QCOMPARE(seen(), first);
        m_db->clock().advance(5min);
        QVERIFY(asking(grant));
        QCOMPARE(seen(), first);
        m_db->clock().advance(1s);
        QCOMPARE(asking(grant)->version, ada.version);
        QCOMPARE(seen(), now());
    }

    void being_seen_never_waits_for_another_transaction()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        const auto grant = signedIn(ada);
        m_db->clock().advance(10min);
        db::Transaction long_(operators());
        QVERIFY(m_accounts.change(operators(), ada.id(), {.displayName = u"Countess"_s}, now()));
        QCOMPARE(asking(grant)->user.displayName, u"Test"_s); // and did not hang
        long_.commit();
        QCOMPARE(asking(grant)->user.displayName, u"Countess"_s);
    }

    void a_profile_is_changed_against_its_version()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        db::Transaction transaction(m_db->app(), ada.id());
        const auto changed =
            m_accounts.change(m_db->app(), ada.id(), {.displayName = u"Ada"_s, .region = u"DE"_s}, now(), ada.version);
        QVERIFY(changed);
        QCOMPARE(changed->user.displayName, u"Ada"_s);
        QCOMPARE(changed->user.region, u"DE"_s);
        QCOMPARE(changed->user.locale, u"en"_s);
        QVERIFY(changed->version > ada.version);
        QCOMPARE(code(m_accounts.change(m_db->app(), ada.id(), {.region = u"FR"_s}, now(), ada.version)),
                 ErrorCode::PreconditionFailed);
    }

    void an_email_belongs_to_one_user_in_any_case()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        QCOMPARE(code(m_accounts.create(operators(), {.displayName = {}, .email = u"ADA@Example.org"_s}, now())),
                 ErrorCode::Conflict);
        QCOMPARE(m_accounts.findByEmail(operators(), u"Ada@example.ORG"_s, now())->id(), ada.id());
        QVERIFY(m_accounts.create(operators(), {.displayName = {}, .email = {}}, now()));
        QVERIFY(m_accounts.create(operators(), {.displayName = {}, .email = {}}, now())); // no email: many
    }

    void age_is_verified_by_the_user_and_kept()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        db::Transaction transaction(m_db->app(), ada.id());
        QVERIFY(m_accounts.verifyAge(m_db->app(), ada.id(), u"development"_s, u"ref"_s, now())->user.ageVerified);
        transaction.commit();
        QCOMPARE(m_db->owner().script(u"SELECT method FROM age_verifications"_s).first().text("method"),
                 u"development"_s);
    }

    // As the app's role, in Ada's transaction: whatever SQL runs there.
    void a_users_transaction_reaches_nothing_of_others_data()
    {
        QTest::addColumn<QString>("sql");
        QTest::addColumn<int>("rows"); // -1: permission denied
        const auto row = [](const char *sql, int rows) { QTest::newRow(sql) << QString::fromLatin1(sql) << rows; };
        row("SELECT * FROM users", 1);
        row("SELECT * FROM devices", 1);
        row("SELECT * FROM api_keys", 1);
        row("SELECT * FROM age_verifications", 1);
        row("SELECT * FROM access_keys", -1);
        row("SELECT * FROM refresh_tokens", -1);
        row("SELECT * FROM signing_keys", -1);
        row("SELECT * FROM audit_log", -1);
        row("UPDATE users SET display_name = 'x' RETURNING id", 1);
        row("UPDATE users SET roles = '{admin}'", -1);
        row("UPDATE users SET tier = 'vip'", -1);
        row("UPDATE users SET tier_expires_at = NULL", -1);
        row("UPDATE users SET status = 'active'", -1);
        row("UPDATE users SET email = 'x@y'", -1);
        row("UPDATE devices SET user_id = current_user_id()", -1);
        row("UPDATE devices SET roles = '{admin}'", -1);
        row("UPDATE devices SET revoked_at = now(), revoke_reason = 'logout' RETURNING id", 1);
        row("UPDATE api_keys SET revoked_at = now() RETURNING id", 1);
        row("DELETE FROM users", -1);
        row("DELETE FROM devices", -1);
        row("INSERT INTO users (id, display_name, created_at) VALUES (gen_random_uuid(), 'x', now())", -1);
        row("SELECT append_audit(gen_random_uuid(), now(), 'cli', 'a.b', 'c', '', NULL, NULL, '')", -1);
    }
    void a_users_transaction_reaches_nothing_of_others()
    {
        QFETCH(QString, sql);
        QFETCH(int, rows);
        const Account ada = makeUser(u"ada@example.org"_s);
        for (const Account &account : {ada, makeUser(u"bob@example.org"_s)}) {
            signedIn(account);
            QVERIFY(ApiKeyService().create(operators(), account.id(), u"k"_s));
            QVERIFY(m_accounts.verifyAge(operators(), account.id(), u"m"_s, u"r"_s, now()));
        }
        db::Transaction transaction(m_db->app(), ada.id());
        try {
            QCOMPARE(m_db->app().script(sql).size(), rows);
        } catch (const db::DatabaseError &error) {
            QCOMPARE(error.sqlState(), u"42501"_s);
            QCOMPARE(rows, -1);
        }
    }

    void without_a_user_the_app_sees_nobody()
    {
        signedIn(makeUser(u"ada@example.org"_s));
        QCOMPARE(m_db->app().script(u"SELECT * FROM users"_s).size(), 0);
        QCOMPARE(m_db->app().script(u"SELECT * FROM devices"_s).size(), 0);
    }

    void an_api_key_opens_the_v1_door_as_the_user_alone()
    {
        const Account ada = makeUser(u"ada@example.org"_s, {Role::User, Role::Admin});
        const ApiKeyService keys;
        db::Transaction transaction(m_db->app(), ada.id());
        const auto key = keys.create(m_db->app(), ada.id(), u"my script"_s);
        transaction.commit();
        QVERIFY(key->key.startsWith(u"sk-companion-"_s));
        const auto claims = keys.claims(operators(), key->key);
        QCOMPARE(claims->user, ada.id());
        QCOMPARE(claims->roles, QList{Role::User});
        QVERIFY(claims->device.isNull());
        QCOMPARE(m_accounts.account(operators(), *claims, now())->user.roles, QList{Role::User});

        QCOMPARE(code(keys.claims(operators(), u"sk-companion-x"_s)), ErrorCode::Unauthenticated);
        suspend(ada);
        QCOMPARE(code(keys.claims(operators(), key->key)), ErrorCode::AccountSuspended);
        suspend(ada, UserStatus::Active);
        QVERIFY(keys.revoke(operators(), ada.id(), key->id));
        QCOMPARE(code(keys.claims(operators(), key->key)), ErrorCode::Unauthenticated);
        QCOMPARE(code(keys.revoke(operators(), ada.id(), key->id)), ErrorCode::NotFound);
        QCOMPARE(keys.list(operators(), ada.id(), {}).total, 0);
    }

    void a_user_has_at_most_twenty_api_keys()
    {
        const Account ada = makeUser(u"ada@example.org"_s);
        for (int i = 0; i < ApiKeyService::maxKeys; ++i)
            QVERIFY(ApiKeyService().create(operators(), ada.id(), u"k"_s));
        QCOMPARE(code(ApiKeyService().create(operators(), ada.id(), u"k"_s)), ErrorCode::Conflict);
        QCOMPARE(ApiKeyService().list(operators(), ada.id(), {.limit = 5, .cursor = {}}).items.size(), 5);
    }

    void ended_families_are_purged_with_their_tokens()
    {
        signedIn(makeUser(u"ada@example.org"_s));
        m_db->clock().advance(24h * 31 + 1s);
        signedIn(makeUser(u"bob@example.org"_s));
        QCOMPARE(m_service->purge(operators(), 100), 1);
        QCOMPARE(m_service->purge(operators(), 100), 0);
        QCOMPARE(m_db->owner().script(u"SELECT * FROM refresh_tokens"_s).size(), 1);
    }
};

QTEST_GUILESS_MAIN(TestSignIn)
#include "tst_SignIn.moc"
