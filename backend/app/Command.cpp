#include "app/Command.h"

#include <QJsonDocument>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

QList<QCommandLineOption> allOptions(const CommandForm &form)
{
    return form.options
        + QList<QCommandLineOption>{{u"data"_s, u"The data directory, where it is not the configured one."_s, u"DIR"_s},
                                    {u"json"_s, u"Answer with JSON."_s},
                                    {{u"h"_s, u"help"_s}, u"Say how this command is used."_s}};
}

QString spelled(const QCommandLineOption &option)
{
    QStringList names;
    for (const QString &name : option.names())
        names.append((name.size() == 1 ? u"-"_s : u"--"_s) + name);
    return names.join(u", "_s) + (option.valueName().isEmpty() ? QString() : u' ' + option.valueName());
}

QString help(const CommandForm &form)
{
    QString text = u"Usage: companion-backend %1 %2[options]\n\n%3\n\nOptions:\n"_s.arg(
        form.name, form.positionals.isEmpty() ? QString() : QString(form.positionals.join(u' ') + u' '), form.summary);
    for (const QCommandLineOption &option : allOptions(form))
        text += u"  %1  %2\n"_s.arg(spelled(option), -28).arg(option.description());
    return text;
}

} // namespace

std::expected<CommandArguments, Outcome> CommandArguments::read(const CommandForm &form, const QStringList &args)
{
    CommandArguments arguments;
    arguments.m_name = form.name;
    arguments.m_parser = std::make_shared<QCommandLineParser>();
    QCommandLineParser &parser = *arguments.m_parser;
    parser.addOptions(allOptions(form));
    const bool fine = parser.parse(QStringList{u"companion-backend"_s} + args);
    if (args.contains(u"--help"_s) || args.contains(u"-h"_s))
        return std::unexpected(Outcome{.out = help(form)});
    if (!fine)
        return std::unexpected(arguments.wrong(parser.errorText()));
    const QStringList given = parser.positionalArguments();
    if (given.size() < form.positionals.size())
        return std::unexpected(arguments.wrong(u"%1 is missing."_s.arg(form.positionals.at(given.size()))));
    if (given.size() > form.positionals.size())
        return std::unexpected(
            arguments.wrong(u"“%1” is one argument too many."_s.arg(given.at(form.positionals.size()))));
    return arguments;
}

QStringList CommandArguments::optionNames() const
{
    QStringList names = m_parser->optionNames();
    names.removeIf([](const QString &name) { return name == u"json"_s || name == u"data"_s; });
    return names;
}

Outcome CommandArguments::wrong(const QString &problem) const
{
    return {.exitCode = 2, .err = u"%1\nSee: companion-backend %2 --help\n"_s.arg(problem, m_name)};
}

QString CommandArguments::wrongChoice(const QString &option, const QString &text, const QStringList &names)
{
    return u"--%1 takes %2, not “%3”."_s.arg(option, names.join(u", "_s), text);
}

Outcome failed(const Refusal &refusal)
{
    return {.exitCode = 1, .err = refusal.detail + u'\n'};
}

Outcome printed(const QJsonObject &object)
{
    return {.out = QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact)) + u'\n'};
}

QString familyHelp(const QString &name, const QList<CommandForm> &forms)
{
    QString text = u"Usage: companion-backend %1 COMMAND [options]\n\nCommands, each with --help:\n"_s.arg(name);
    for (const CommandForm &form : forms)
        text += u"  %1  %2\n"_s.arg(form.name.section(u' ', 1), -8).arg(form.summary);
    return text;
}

} // namespace companion::app
