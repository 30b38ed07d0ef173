#include "support/TestDatabase.h"

#include "db/DatabaseError.h"

#include <QSet>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

namespace {

// Tables that companion_app may read and that hold nobody's rows. Whoever adds a table decides: either it has a user's
// column and a policy, or it stands here.
const QSet<QString> sharedTables{
    u"schema_migrations"_s, // which migrations were applied
    u"tiers"_s,
    u"products"_s,          // the price list
    u"provider_products"_s, // its names at the stores
    u"rail_policies"_s,
    u"retention_policies"_s, // how long what is kept
    u"region_policies"_s, // what may pay for what, and where
    u"character_config"_s,
    u"character_versions"_s,
    u"character_avatars"_s, // the personas
    u"signing_keys"_s,
};

struct Column
{
    QString name;
    QString type;
    bool isUser = false;
};

struct Table
{
    QString name;
    QList<Column> toFill; // what must be given for a row to be accepted, and every user's column
    QStringList readable; // what companion_app may select
    QStringList users;    // the columns that say whose the row is
    bool isPartition = false;
};

QStringList texts(const Rows &rows, const char *column)
{
    QStringList all;
    for (const auto &row : rows)
        all << row.text(column);
    return all;
}

// The catalog's answer to: what can companion_app read at all?
class Catalog
{
public:
    explicit Catalog(Session &owner)
        : m_owner(owner)
    {
    }

    QList<Table> readableTables()
    {
        QList<Table> tables;
        for (const auto &row : m_owner.script(
                 u"SELECT c.oid::regclass::text AS name, c.relispartition AS part FROM pg_class c"
                 " JOIN pg_namespace n ON n.oid = c.relnamespace"
                 " WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
                 " AND n.nspname NOT LIKE 'pg\\_%'"
                 " AND has_any_column_privilege('companion_app', c.oid, 'SELECT') ORDER BY 1"_s))
            tables << describe(row.text("name"), row.boolean("part"));
        return tables;
    }

    // Views run with their owner's rights unless they say otherwise, and so go around every policy.
    QStringList leakyViews()
    {
        return texts(m_owner.script(u"SELECT c.oid::regclass::text AS name FROM pg_class c"
                                    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm')"
                                    " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
                                    " AND has_any_column_privilege('companion_app', c.oid, 'SELECT')"
                                    " AND (c.relkind = 'm' OR NOT coalesce(c.reloptions, '{}') && "
                                    "      ARRAY['security_invoker=true', 'security_invoker=on'])"_s),
                     "name");
    }

private:
    Table describe(const QString &name, bool isPartition)
    {
        Table table{.name = name, .toFill = {}, .readable = {}, .users = userColumns(name), .isPartition = isPartition};
        for (
            const auto &row : m_owner.script(
                u"SELECT attname AS name, format_type(atttypid, atttypmod) AS type,"
                " attnotnull AND NOT atthasdef AND attidentity = '' AS needed, attgenerated <> '' AS generated,"
                " has_column_privilege('companion_app', attrelid, attnum, 'SELECT') AS readable"
                " FROM pg_attribute WHERE attrelid = '%1'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"_s
                    .arg(name))) {
            const bool isUser = table.users.contains(row.text("name"));
            if (row.boolean("readable"))
                table.readable << row.text("name");
            if ((row.boolean("needed") || isUser) && !row.boolean("generated"))
                table.toFill << Column{row.text("name"), row.text("type"), isUser};
        }
        return table;
    }

    QStringList userColumns(const QString &table)
    {
        return texts(m_owner.script(
                         u"SELECT attname AS name FROM pg_attribute a"
                         " WHERE attrelid = '%1'::regclass AND attnum > 0 AND NOT attisdropped AND"
                         " (attname = 'user_id' OR (attname = 'id' AND attrelid = to_regclass('users'))"
                         "  OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = a.attrelid AND contype = 'f'"
                         "             AND confrelid = to_regclass('users') AND conkey = ARRAY[a.attnum]"
                         "             AND attname NOT LIKE '%\\_by'))"_s.arg(table)),
                     "name");
    }

    Session &m_owner;
};

// Puts rows of two users into tables of any shape. Checks and foreign keys are taken off before: whether a policy hides
// a row does not depend on its being a sensible one.
class Filler
{
public:
    explicit Filler(Session &owner)
        : m_owner(owner)
    {
        m_owner.script(u"SET session_replication_role = replica"_s); // no triggers
        for (const auto &row : m_owner.script(u"SELECT conrelid::regclass::text AS name, conname FROM pg_constraint"
                                              " WHERE contype IN ('c', 'f') AND conrelid <> 0 AND conparentid = 0"
                                              " AND coninhcount = 0"
                                              " AND connamespace = 'public'::regnamespace"_s))
            m_owner.script(u"ALTER TABLE %1 DROP CONSTRAINT IF EXISTS \"%2\" CASCADE"_s.arg(row.text("name"),
                                                                                            row.text("conname")));
    }

    void fill(const Table &table, const UserId &user)
    {
        QStringList names;
        QStringList values;
        for (const auto &column : table.toFill) {
            names << u'"' + column.name + u'"';
            values << (column.isUser ? u'\'' + user.toString() + u'\'' : someValue(column.type));
        }
        m_owner.script(names.isEmpty()
                           ? u"INSERT INTO %1 DEFAULT VALUES"_s.arg(table.name)
                           : u"INSERT INTO %1 (%2) VALUES (%3)"_s.arg(table.name, names.join(u','), values.join(u',')));
    }

private:
    QString someValue(const QString &type)
    {
        const int n = ++m_count;
        if (type.endsWith("[]"_L1))
            return u"'{}'"_s;
        if (type == "uuid"_L1)
            return u"gen_random_uuid()"_s;
        if (type.startsWith("timestamp"_L1))
            return u"now()"_s;
        if (type == "date"_L1)
            return u"current_date + %1"_s.arg(n);
        if (type == "boolean"_L1)
            return u"true"_s;
        if (type.startsWith("json"_L1))
            return u"'{}'"_s;
        if (type == "bytea"_L1)
            return u"'\\x%1'"_s.arg(n, 8, 16, QLatin1Char('0'));
        if (type == "interval"_L1)
            return u"'1 day'"_s;
        if (type == "inet"_L1)
            return u"'127.0.0.1'"_s;
        const auto labels = m_owner.script(u"SELECT quote_literal(enumlabel) AS label FROM pg_enum"
                                           " WHERE enumtypid = to_regtype('%1') ORDER BY enumsortorder"_s.arg(type));
        return labels.isEmpty() ? u"'%1'"_s.arg(n) : labels.first().text("label");
    }

    Session &m_owner;
    int m_count = 0;
};

// Everything that is wrong, one line each; empty when no user can see another's rows.
QStringList findings(test::TestDatabase &db, const QSet<QString> &shared)
{
    QStringList wrong;
    Catalog catalog(db.owner());
    for (const auto &view : catalog.leakyViews())
        wrong << view + u" is a view without security_invoker"_s;
    const auto a = UserId::create();
    const auto b = UserId::create();
    QList<Table> tables;
    for (const auto &table : catalog.readableTables()) {
        if (!shared.contains(table.name) || table.users.contains(u"user_id"_s))
            tables << table;
    }
    Filler filler(db.owner());
    for (const auto &table : tables) {
        if (table.users.isEmpty()) {
            wrong << table.name + u" is readable, has no user's column, and is not known as shared"_s;
            continue;
        }
        if (!table.isPartition) {
            filler.fill(table, a);
            filler.fill(table, b);
        }
    }
    for (const auto &table : tables) {
        if (table.users.isEmpty())
            continue;
        const QString count =
            u"SELECT count(*) AS n, count(*) FILTER (WHERE '%1' IN (%2)) AS own FROM (SELECT %3 FROM %4) t"_s;
        const QString all = table.readable.size() == 1 ? table.readable.first() : table.readable.join(u',');
        QStringList users;
        for (const auto &user : table.users)
            users << user + u"::text"_s;
        Transaction transaction(db.app(), a);
        const auto row = db.app().script(count.arg(a.toString(), users.join(u','), all, table.name)).first();
        if (row.integer("n") != row.integer("own"))
            wrong << table.name + u" shows rows of others"_s;
        else if (row.integer("own") == 0 && !table.isPartition)
            wrong << table.name + u" hides the user's own row: this test sees nothing there"_s;
    }
    for (const auto &table : tables) // and nobody sees anything where no user was set
        if (!table.users.isEmpty()
            && !db.app().script(u"SELECT %1 FROM %2"_s.arg(table.readable.join(u','), table.name)).isEmpty())
            wrong << table.name + u" shows rows to nobody in particular"_s;
    return wrong;
}

} // namespace

class TestRowLevelSecurity : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<test::TestDatabase> m_db;
    QString only(const QString &sql)
    {
        m_db->owner().script(sql);
        auto wrong = findings(*m_db, sharedTables);
        return wrong.filter(u"new_"_s).join(u"; "_s);
    }

private Q_SLOTS:
    void init() { m_db = std::make_unique<test::TestDatabase>(); }

    void no_table_shows_a_user_another_users_rows() { QCOMPARE(findings(*m_db, sharedTables).join(u'\n'), QString()); }

    // What the test above would say of tables to come.
    void a_new_table_without_a_policy_is_found()
    {
        QCOMPARE(
            only(u"CREATE TABLE new_notes (id integer GENERATED ALWAYS AS IDENTITY, user_id uuid NOT NULL, body text);"
                 "GRANT SELECT ON new_notes TO companion_app"_s),
            u"new_notes shows rows of others; new_notes shows rows to nobody in particular"_s);
    }
    void a_new_table_that_names_its_user_otherwise_is_found_by_its_foreign_key()
    {
        QVERIFY(only(u"CREATE TABLE new_gifts (giver uuid NOT NULL REFERENCES users(id), body text);"
                     "GRANT SELECT ON new_gifts TO companion_app"_s)
                    .contains(u"new_gifts shows rows of others"_s));
    }
    void a_policy_that_lets_everybody_is_found()
    {
        QVERIFY(only(u"CREATE TABLE new_notes (user_id uuid NOT NULL);"
                     "SELECT protect_user_rows('new_notes', 'SELECT', '');"
                     "CREATE POLICY oops ON new_notes TO companion_app USING (true)"_s)
                    .contains(u"new_notes shows rows of others"_s));
    }
    void a_partition_that_can_be_read_by_itself_is_found()
    {
        QVERIFY(
            only(u"CREATE TABLE new_log (user_id uuid NOT NULL, at timestamptz DEFAULT now()) PARTITION BY RANGE (at);"
                 "CREATE TABLE new_log_all PARTITION OF new_log DEFAULT;"
                 "SELECT protect_user_rows('new_log', 'SELECT', '');"
                 "GRANT SELECT ON new_log_all TO companion_app"_s)
                .contains(u"new_log_all shows rows of others"_s));
    }
    void a_view_with_its_owners_rights_is_found()
    {
        QVERIFY(only(u"CREATE VIEW new_view AS SELECT * FROM users; GRANT SELECT ON new_view TO companion_app"_s)
                    .contains(u"new_view is a view without security_invoker"_s));
    }
    void a_table_that_nobody_decided_about_is_found()
    {
        QVERIFY(only(u"CREATE TABLE new_words (word text); GRANT SELECT ON new_words TO companion_app"_s)
                    .contains(u"not known as shared"_s));
    }
    void a_protected_table_is_in_order()
    {
        QCOMPARE(only(u"CREATE TABLE new_notes (user_id uuid NOT NULL, body text);"
                      "SELECT protect_user_rows('new_notes', 'SELECT', 'SELECT')"_s),
                 QString());
    }

    void a_user_writes_no_rows_for_another()
    {
        const auto a = UserId::create();
        const auto b = UserId::create();
        m_db->owner().script(u"CREATE TABLE new_notes (user_id uuid NOT NULL, body text);"
                             "SELECT protect_user_rows('new_notes', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT');"
                             "INSERT INTO new_notes VALUES ('%1', 'b')"_s.arg(b.toString()));
        Session &app = m_db->app();
        {
            Transaction transaction(app, a);
            QVERIFY_THROWS_EXCEPTION(DatabaseError,
                                     app.script(u"INSERT INTO new_notes VALUES ('%1', 'x')"_s.arg(b.toString())));
        }
        {
            Transaction transaction(app, a);
            app.script(u"UPDATE new_notes SET body = 'x'; DELETE FROM new_notes"_s);
            app.script(u"INSERT INTO new_notes VALUES ('%1', 'a')"_s.arg(a.toString()));
            transaction.commit();
        }
        const auto rows = m_db->operators().script(u"SELECT body FROM new_notes ORDER BY 1"_s);
        QCOMPARE(texts(rows, "body"), (QStringList{u"a"_s, u"b"_s}));
        QVERIFY_THROWS_EXCEPTION(DatabaseError, m_db->operators().script(u"DELETE FROM new_notes"_s));
    }

    void the_policy_is_inlined_so_that_it_can_use_an_index()
    {
        m_db->owner().script(u"CREATE TABLE new_notes (user_id uuid PRIMARY KEY);"
                             "SELECT protect_user_rows('new_notes', 'SELECT', 'SELECT')"_s);
        m_db->app().script(u"SET enable_seqscan = off"_s);
        const auto plan = texts(m_db->app().script(u"EXPLAIN SELECT * FROM new_notes"_s), "QUERY PLAN").join(u'\n');
        QVERIFY2(plan.contains(u"Index Cond: (user_id = (NULLIF(current_setting"_s), qPrintable(plan));
    }

    void neither_role_is_above_the_policies()
    {
        const auto rows = m_db->owner().script(u"SELECT rolname FROM pg_roles WHERE rolname LIKE 'companion\\_%'"
                                               " AND NOT rolsuper AND NOT rolbypassrls AND NOT rolcreaterole"_s);
        QCOMPARE(rows.size(), 2);
    }
};

QTEST_GUILESS_MAIN(TestRowLevelSecurity)
#include "tst_RowLevelSecurity.moc"
