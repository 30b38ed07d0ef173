#pragma once

#include "db/Roles.h"
#include "db/Session.h"
#include "db/Workers.h"
#include "support/ManualClock.h"
#include "support/TestCluster.h"

#include <memory>

namespace companion::test {

// A fresh, migrated database of a test's own, dropped with the object. Link `test_support` and the rooms under test:
//
//   companion_tests(ledger USES ledger test_support)
//
//   class TestLedger : public QObject { …
//       void init() { m_db = std::make_unique<test::TestDatabase>(); }     // ~50 ms each; the first of a program ~1 s
//       void a_hold_reserves_credit()
//       {
//           m_db->owner().script("INSERT INTO users …");                   // as the owner: fixtures
//           db::Transaction transaction(m_db->app(), user);                // as the product: companion_app with RLS
//           …
//           m_db->clock().advance(24h);                                    // Session::now() follows
//           m_db->operators().rows("ledger.heads");                        // as companion_operator
//       }
//       std::unique_ptr<test::TestDatabase> m_db; };
//
// app(), operators() and owner() are sessions for the test's own thread; appWorkers() and operatorWorkers() are pools
// of four threads for what needs an event loop (QTRY_VERIFY, QSignalSpy).
class TestDatabase
{
public:
    TestDatabase();
    ~TestDatabase();
    TestDatabase(const TestDatabase &) = delete;
    TestDatabase &operator=(const TestDatabase &) = delete;

    db::Session &app();
    db::Session &operators();
    db::Session &owner();
    db::Workers &appWorkers();
    db::Workers &operatorWorkers();
    ManualClock &clock() { return m_clock; }

    db::Target appTarget() const { return m_owner.as(QString::fromLatin1(db::appRole), {}); }
    db::Target operatorTarget() const { return m_owner.as(QString::fromLatin1(db::operatorRole), {}); }
    db::Target ownerTarget() const { return m_owner; }
    // An empty database instead of a migrated one, for tests of the migrations themselves.
    static db::Target makeEmpty();

private:
    db::Session &session(std::unique_ptr<db::Session> &kept, const db::Target &target);
    db::Workers &workers(std::unique_ptr<db::Workers> &kept, const db::Target &target, const QString &name);

    const db::Target m_owner;
    ManualClock m_clock;
    std::unique_ptr<db::Session> m_appSession;
    std::unique_ptr<db::Session> m_operatorSession;
    std::unique_ptr<db::Session> m_ownerSession;
    std::unique_ptr<db::Workers> m_appWorkers;
    std::unique_ptr<db::Workers> m_operatorWorkers;
};

} // namespace companion::test
