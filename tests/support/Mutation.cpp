#include "support/Mutation.h"

#include <QFile>
#include <unistd.h>

namespace companion::test {

using namespace Qt::StringLiterals;

void applyMutation(TestDatabase &db, const QString &sourceFolder)
{
    const QString name = qEnvironmentVariable("LEDGER_MUTATION");
    if (name.isEmpty())
        return;
    QFile file(qEnvironmentVariable("LEDGER_MUTATIONS", QString(sourceFolder + u"/mutations.sql"_s)));
    const QString all = file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    const qsizetype from = all.indexOf(QString(u"\n-- "_s + name + u" ["_s));
    try {
        ensure(from >= 0, "the mutation is one of mutations.sql");
        db.owner().script(
            u"CREATE FUNCTION mutate(name text, old text, new text) RETURNS void LANGUAGE plpgsql AS 'DECLARE was text;"
            " BEGIN was := pg_get_functiondef(CASE WHEN name LIKE ''%(%'' THEN name::regprocedure::oid"
            " ELSE name::regproc::oid END); IF position(old IN was) = 0 THEN RAISE EXCEPTION ''% has no %'', name, old;"
            " END IF; EXECUTE replace(was, old, new); END'"_s);
        db.owner().script(all.mid(from + 1, all.indexOf("\n\n"_L1, from + 1) - from - 1));
        db.owner().script(u"DROP FUNCTION mutate(text, text, text)"_s);
    } catch (const std::exception &error) {
        fprintf(stderr, "the mutation does not fit: %s\n", error.what());
        _exit(3);
    }
}

} // namespace companion::test
