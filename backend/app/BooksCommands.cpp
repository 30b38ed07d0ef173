#include "app/BooksCommands.h"

#include "app/DatabaseBoot.h"
#include "app/Environment.h"
#include "identity/AuditLog.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

QJsonArray asJson(const QList<ledger::AuditFinding> &findings, const QList<identity::AuditBreach> &breaches)
{
    QJsonArray all;
    for (const auto &finding : findings)
        all.append(QJsonObject{{u"user_id"_s, finding.user.isNull() ? QString() : finding.user.toString()},
                               {u"rule"_s, finding.rule},
                               {u"detail"_s, finding.detail}});
    for (const auto &breach : breaches)
        all.append(QJsonObject{{u"user_id"_s, QString()},
                               {u"rule"_s, QString(u"audit_log_"_s + breach.rule)},
                               {u"detail"_s, u"at sequence %1"_s.arg(breach.sequence)}});
    return all;
}

Outcome audited(const CommandParts &parts, bool json)
{
    const QJsonArray findings =
        asJson(parts.ledger.audit(parts.operators), identity::AuditLog().verify(parts.operators));
    Outcome outcome{.exitCode = findings.isEmpty() ? 0 : 1};
    if (json) {
        outcome.out =
            QString::fromUtf8(QJsonDocument(QJsonObject{{u"clean"_s, findings.isEmpty()}, {u"findings"_s, findings}})
                                  .toJson(QJsonDocument::Compact))
            + u'\n';
        return outcome;
    }
    for (const QJsonValue &finding : findings)
        outcome.out += u"%1  %2  %3\n"_s.arg(finding[u"rule"].toString(), finding[u"user_id"].toString(),
                                             finding[u"detail"].toString());
    outcome.out += findings.isEmpty() ? u"The books are clean.\n"_s : u"%1 finding(s).\n"_s.arg(findings.size());
    return outcome;
}

} // namespace

ParsedCommand auditCommand(const QStringList &args)
{
    const auto arguments = CommandArguments::read(
        {.name = u"audit"_s,
         .summary =
             u"Recomputes every wallet from its history and checks the chains; exit 1 where anything is wrong."_s},
        args);
    if (!arguments)
        return std::unexpected(arguments.error());
    return Command{.dataDir = arguments->dataDir(),
                   .run = [json = arguments->json()](const CommandParts &parts) { return audited(parts, json); }};
}

Outcome migrate(const QStringList &args)
{
    const auto arguments =
        CommandArguments::read({.name = u"migrate"_s, .summary = u"Brings the database to this program's version."_s},
                               args);
    if (!arguments)
        return arguments.error();
    QMap<QString, QString> settings;
    if (arguments->has(u"data"_s))
        settings.insert(u"COMPANION_DATA"_s, arguments->dataDir());
    const auto configuration = configurationFor(settings);
    if (!configuration)
        return configuration.error();
    DatabaseBoot boot(*configuration);
    const auto databases = boot.start(EmbeddedPostgres::Use::Command, [](const QString &line) { tell(line); });
    if (!databases)
        return {.exitCode = 1, .err = databases.error() + u'\n'};
    if (arguments->json())
        return printed({{u"applied"_s, QJsonArray::fromStringList(databases->applied)}});
    return {.out = databases->applied.isEmpty() ? u"The database is up to date.\n"_s
                                                : u"Applied: %1\n"_s.arg(databases->applied.join(u", "_s))};
}

Outcome config(const QStringList &args)
{
    const CommandForm form{.name = u"config check"_s,
                           .summary = u"Names every mistake of the configuration at once."_s};
    if (args.isEmpty() || (args.first() != u"check" && !args.first().startsWith(u'-')))
        return {.exitCode = 2, .err = u"Usage: companion-backend config check\n"_s};
    const auto arguments = CommandArguments::read(form, args.first() == u"check" ? args.sliced(1) : args);
    if (!arguments)
        return arguments.error();
    QMap<QString, QString> settings;
    if (arguments->has(u"data"_s))
        settings.insert(u"COMPANION_DATA"_s, arguments->dataDir());
    const auto loaded = loadConfiguration(QProcessEnvironment::systemEnvironment(), settings);
    if (arguments->json()) {
        QJsonArray problems;
        for (const ConfigurationProblem &problem : loaded.problems)
            problems.append(QJsonObject{{u"variable"_s, problem.variable},
                                        {u"source"_s, problem.source},
                                        {u"message"_s, problem.message}});
        Outcome outcome = printed({{u"ok"_s, loaded.problems.isEmpty()}, {u"problems"_s, problems}});
        outcome.exitCode = loaded.problems.isEmpty() ? 0 : 1;
        return outcome;
    }
    QString text;
    for (const ConfigurationProblem &problem : loaded.problems)
        text += problem.toString() + u'\n';
    if (!text.isEmpty())
        return {.exitCode = 1, .err = text};
    return {.out = u"The configuration is fine%1.\n"_s.arg(
                loaded.file.isEmpty() ? QString() : QString(u" ("_s + loaded.file + u')'))};
}

} // namespace companion::app
