#pragma once

#include "moderation/Screen.h"
#include "moderation/TermList.h"

#include <QRegularExpression>

#include <expected>

namespace companion::moderation {

// One rule as its file gives it, compiled. docs/moderation.md describes the form.
struct Rule
{
    QString id;
    QString category;
    Action action = Action::Block;
    Severity severity = Severity::Normal;
    QList<Mode> modes;
    QList<Direction> directions;
    bool acrossTurns = false;
    using Lists = std::vector<int>; // numbers of term lists; a hit of any of them counts
    Lists any;
    std::vector<Lists> all; // a hit of each, within `within` words of the first's (across turns: however far)
    int within = 10;
    Lists unless; // excuses a hit within `unlessWithin` words of it
    int unlessWithin = 0;
    QList<QRegularExpression> patterns;
    QStringList mustHit;
    QStringList mustPass;

    bool appliesTo(Direction direction, Mode mode) const
    {
        return directions.contains(direction) && modes.contains(mode);
    }
};

// A rule file by its name; a set is read in the order of the names.
struct RuleFile
{
    QString name;
    QByteArray content;
};

// All rules of a folder, compiled together: a text is cut into words once and matched against every term list in one
// pass. Immutable once loaded; safe on any thread.
class RuleBook
{
public:
    // Every mistake, each with its file and rule; a rule whose own tests fail is a mistake too.
    static std::expected<std::shared_ptr<const RuleBook>, QStringList> load(const QStringList &files);
    static std::expected<std::shared_ptr<const RuleBook>, QStringList> compile(const QList<RuleFile> &files);

    struct Hit
    {
        const Rule *rule = nullptr;
        qsizetype start = 0; // in the text, UTF-16 code units
        qsizetype length = 0;
    };
    // The weightiest hit: a block of high severity, then a crisis, then any other block; the first in the files wins
    // among equals. A hit of a rule that allows frees the text of its category, but for blocks of high severity.
    std::optional<Hit> find(const Text &text) const;
    // The first hit of any rule, whatever its action.
    std::optional<Hit> findAny(QStringView text) const;

    const std::vector<Rule> &rules() const { return m_rules; }

private:
    friend class RuleReader;

    class Reading;
    std::optional<Hit> hitOf(const Rule &rule, const Reading &reading) const;
    QStringList failedTests(const Rule &rule) const;

    TermLists m_lists;
    std::vector<Rule> m_rules; // by weight
};

} // namespace companion::moderation
