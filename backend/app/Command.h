#pragma once

#include "billing/TierStore.h"
#include "common/describe/EnumText.h"
#include "db/Session.h"
#include "ledger/Ledger.h"

#include <QCommandLineOption>
#include <QCommandLineParser>
#include <expected>
#include <functional>

namespace companion::app {

// What a subcommand leaves: its texts (with their line ends) and the program's exit code.
struct Outcome
{
    int exitCode = 0; // 0 done, 1 failed or a breach found, 2 wrong usage
    QString out = {};
    QString err = {};
};

struct CommandParts
{
    db::Session &operators; // as companion_operator
    ledger::Ledger ledger = {};
    billing::TierStore tiers = {};
};

// A subcommand whose arguments have been read and found good: what is left needs the database. `run` throws
// DatabaseError.
struct Command
{
    QString dataDir; // --data; empty: as configured
    std::function<Outcome(const CommandParts &)> run;
};

// A command, or at once the outcome of --help or of wrong usage.
using ParsedCommand = std::expected<Command, Outcome>;

struct CommandForm
{
    QString name; // "access-key create"
    QString summary; // one line
    QList<QCommandLineOption> options = {}; // --data, --json and --help are in every form
    QStringList positionals = {}; // each wanted exactly once: "EMAIL"
};

// The arguments of one command, read by its form.
class CommandArguments
{
public:
    static std::expected<CommandArguments, Outcome> read(const CommandForm &form, const QStringList &args);

    bool has(const QString &option) const { return m_parser->isSet(option); }
    QString value(const QString &option) const { return m_parser->value(option); }
    QStringList values(const QString &option) const { return m_parser->values(option); }
    QString positional(int index) const { return m_parser->positionalArguments().at(index); }
    // What was given beside --data and --json.
    QStringList optionNames() const;
    bool json() const { return has(QStringLiteral("json")); }
    QString dataDir() const { return value(QStringLiteral("data")); }

    // Exit 2, with what is wrong and where help is.
    Outcome wrong(const QString &problem) const;

    // The option's value as an enumeration's: nullopt where it was not given.
    template <NamedEnum E>
    std::expected<std::optional<E>, Outcome> choice(const QString &option) const
    {
        if (!has(option))
            return std::optional<E>();
        const auto all = choices<E>(option);
        if (!all)
            return std::unexpected(all.error());
        return std::optional<E>(all->last());
    }
    template <NamedEnum E>
    std::expected<QList<E>, Outcome> choices(const QString &option) const
    {
        QList<E> all;
        for (const QString &text : values(option)) {
            const auto found = fromText<E>(text);
            if (!found)
                return std::unexpected(wrong(wrongChoice(option, text, namesOf<E>())));
            all.append(*found);
        }
        return all;
    }

private:
    template <NamedEnum E>
    static QStringList namesOf()
    {
        QStringList names;
        for (const auto &[value, name] : EnumNames<E>::values)
            names.append(QString::fromLatin1(name));
        return names;
    }
    static QString wrongChoice(const QString &option, const QString &text, const QStringList &names);

    QString m_name;
    std::shared_ptr<QCommandLineParser> m_parser;
};

// A command that was refused: exit 1, the refusal's words on stderr.
Outcome failed(const Refusal &refusal);
Outcome printed(const QJsonObject &object); // one line of JSON
// The text of --help for a command that has subcommands.
QString familyHelp(const QString &name, const QList<CommandForm> &forms);

} // namespace companion::app
