#include "support/TestDatabase.h"

#include "common/Ensure.h"
#include "db/Migrator.h"

#include <atomic>

using namespace Qt::StringLiterals;

namespace companion::test {

namespace {

const SystemClock systemClock;

QString freshName()
{
    static std::atomic<int> count = 0;
    return u"test_%1"_s.arg(++count);
}

void superuserScript(const QString &sql)
{
    db::Session(TestCluster::instance().superuser(), systemClock, 0).script(sql);
}

// One migrated database per program, copied for each test.
const QString &migratedTemplate()
{
    static const QString name = [] {
        superuserScript(u"CREATE DATABASE migrated"_s);
        db::Session owner(TestCluster::instance().superuser(u"migrated"_s), systemClock, 0);
        db::ensureRoles(owner, {}, {});
        const auto applied = db::Migrator().migrate(owner);
        ensure(applied.has_value(), "the migrations apply to an empty database");
        return u"migrated"_s;
    }();
    return name;
}

db::Target makeFrom(const QString &model)
{
    const QString name = freshName();
    superuserScript(u"CREATE DATABASE %1 TEMPLATE %2"_s.arg(name, model));
    return TestCluster::instance().superuser(name);
}

} // namespace

TestDatabase::TestDatabase()
    : m_owner(makeFrom(migratedTemplate()))
{
}

TestDatabase::~TestDatabase()
{
    m_appWorkers.reset();
    m_operatorWorkers.reset();
    m_appSession.reset();
    m_operatorSession.reset();
    m_ownerSession.reset();
    superuserScript(u"DROP DATABASE IF EXISTS %1 WITH (FORCE)"_s.arg(m_owner.database));
}

db::Target TestDatabase::makeEmpty()
{
    return makeFrom(u"template0"_s);
}

db::Session &TestDatabase::app()
{
    return session(m_appSession, appTarget());
}

db::Session &TestDatabase::operators()
{
    return session(m_operatorSession, operatorTarget());
}

db::Session &TestDatabase::owner()
{
    return session(m_ownerSession, ownerTarget());
}

db::Workers &TestDatabase::appWorkers()
{
    return workers(m_appWorkers, appTarget(), u"app"_s);
}

db::Workers &TestDatabase::operatorWorkers()
{
    return workers(m_operatorWorkers, operatorTarget(), u"operator"_s);
}

db::Session &TestDatabase::session(std::unique_ptr<db::Session> &kept, const db::Target &target)
{
    if (!kept)
        kept = std::make_unique<db::Session>(target, m_clock);
    return *kept;
}

db::Workers &TestDatabase::workers(std::unique_ptr<db::Workers> &kept, const db::Target &target, const QString &name)
{
    if (!kept)
        kept = std::make_unique<db::Workers>(target, m_clock, db::Workers::Options{.name = name, .threads = 4});
    return *kept;
}

} // namespace companion::test
