#include "moderation/RuleBook.h"

#include "common/describe/Json.h"
#include "moderation/JsonFile.h"

#include <QFile>
#include <QFileInfo>
#include <QSet>

#include <algorithm>

namespace companion::moderation {

namespace {

struct ListSource
{
    QString name;
    QString note;
    QStringList terms;
    QStringList except;

    static constexpr const char *modelName = "TermList";
    static constexpr auto fields()
    {
        using L = ListSource;
        return std::tuple(field("name", &L::name, {.pattern = "[a-z][a-z0-9_]*"}),
                          field("note", &L::note, {.hasDefault = true}), field("terms", &L::terms, {.minLength = 1}),
                          field("except", &L::except, {.hasDefault = true}));
    }
};

struct TestSource
{
    QStringList hits;
    QStringList passes;

    static constexpr const char *modelName = "RuleTests";
    static constexpr auto fields()
    {
        return std::tuple(field("hits", &TestSource::hits, {.minLength = 1}),
                          field("passes", &TestSource::passes, {.minLength = 1}));
    }
};

struct RuleSource
{
    QString id;
    QString note;
    QString category;
    Action action = Action::Block;
    Severity severity = Severity::Normal;
    QList<Mode> modes{Mode::Normal, Mode::Spicy};
    QList<Direction> directions{Direction::Input, Direction::Output};
    bool acrossTurns = false;
    QStringList any;
    QList<QStringList> all;
    int within = 10;
    QStringList unless;
    int unlessWithin = 0;
    QStringList regex;
    TestSource tests;

    static constexpr const char *modelName = "Rule";
    static constexpr auto fields()
    {
        using R = RuleSource;
        return std::tuple(field("id", &R::id, {.pattern = "[a-z0-9]+(-[a-z0-9]+)*"}),
                          field("note", &R::note, {.hasDefault = true}),
                          field("category", &R::category, {.pattern = "[a-z][a-z_]*"}), field("action", &R::action),
                          field("severity", &R::severity, {.hasDefault = true}),
                          field("modes", &R::modes, {.minLength = 1, .hasDefault = true}),
                          field("directions", &R::directions, {.minLength = 1, .hasDefault = true}),
                          field("across_turns", &R::acrossTurns, {.hasDefault = true}),
                          field("any", &R::any, {.hasDefault = true}),
                          field("all", &R::all, {.minLength = 2, .hasDefault = true}),
                          field("within", &R::within, {.minimum = 0, .maximum = 100, .hasDefault = true}),
                          field("unless", &R::unless, {.hasDefault = true}),
                          field("unless_within", &R::unlessWithin, {.minimum = 0, .maximum = 1000, .hasDefault = true}),
                          field("regex", &R::regex, {.hasDefault = true}), field("tests", &R::tests));
    }
};

struct FileSource
{
    int format = 0;
    QString note;
    QList<ListSource> lists;
    QList<RuleSource> rules;

    static constexpr const char *modelName = "RuleFile";
    static constexpr auto fields()
    {
        using F = FileSource;
        return std::tuple(field("format", &F::format, {.minimum = 1, .maximum = 1}),
                          field("note", &F::note, {.hasDefault = true}),
                          field("lists", &F::lists, {.hasDefault = true}),
                          field("rules", &F::rules, {.hasDefault = true}));
    }
};

int weightOf(const Rule &rule)
{
    if (rule.action == Action::Block && rule.severity == Severity::High)
        return 0;
    if (rule.action == Action::Allow)
        return 1;
    return rule.action == Action::Crisis ? 2 : rule.action == Action::Block ? 3 : 4;
}

} // namespace

// Turns files into a book and collects every mistake on the way.
class RuleReader
{
public:
    std::expected<std::shared_ptr<const RuleBook>, QStringList> read(const QList<RuleFile> &files)
    {
        if (files.isEmpty())
            m_mistakes.append(QStringLiteral("there is no rule file"));
        for (const RuleFile &file : files)
            readFile(file);
        std::ranges::stable_sort(m_book->m_rules, {}, weightOf);
        if (m_mistakes.isEmpty())
            runTests();
        if (!m_mistakes.isEmpty())
            return std::unexpected(m_mistakes);
        return std::shared_ptr<const RuleBook>(std::move(m_book));
    }

private:
    void readFile(const RuleFile &file)
    {
        m_where = file.name;
        const auto document = readJson(file.name, file.content);
        if (!document)
            return m_mistakes.append(document.error());
        JsonReader reader;
        FileSource source;
        readObject(*document, source, reader, QString());
        for (const FieldError &wrong : reader.errors())
            mistake(wrong.pointer + u' ' + wrong.message);
        if (reader.errors().isEmpty())
            add(source);
    }

    void add(const FileSource &source)
    {
        const QString file = m_where;
        for (const ListSource &list : source.lists) {
            m_where = file + QStringLiteral(", list ") + list.name;
            if (const auto added = m_book->m_lists.add(list.name, list.terms, list.except); !added)
                mistake(added.error());
        }
        for (const RuleSource &rule : source.rules) {
            m_where = file + QStringLiteral(", rule ") + rule.id;
            add(rule);
        }
    }

    void add(const RuleSource &source)
    {
        if (m_ids.contains(source.id))
            return mistake(QStringLiteral("there are two rules of this id"));
        if (source.any.isEmpty() && source.all.isEmpty() && source.regex.isEmpty())
            return mistake(QStringLiteral("it has nothing to match: any, all or regex"));
        m_ids.insert(source.id);
        Rule rule{.id = source.id,
                  .category = source.category,
                  .action = source.action,
                  .severity = source.severity,
                  .modes = source.modes,
                  .directions = source.directions,
                  .acrossTurns = source.acrossTurns,
                  .any = listsOf(source.any),
                  .all = {},
                  .within = source.within,
                  .unless = listsOf(source.unless),
                  .unlessWithin = source.unlessWithin,
                  .patterns = patternsOf(source.regex),
                  .mustHit = source.tests.hits,
                  .mustPass = source.tests.passes};
        for (const QStringList &group : source.all)
            rule.all.push_back(listsOf(group));
        m_book->m_rules.push_back(std::move(rule));
    }

    // "<name>" alone stands for the list itself, with what excuses its hits; all other terms form a list of their own.
    Rule::Lists listsOf(const QStringList &terms)
    {
        Rule::Lists lists;
        QStringList own;
        for (const QString &term : terms) {
            const bool isName = term.startsWith(u'<') && term.indexOf(u'>') == term.size() - 1;
            if (!isName)
                own.append(term);
            else if (const auto number = m_book->m_lists.find(term.sliced(1, term.size() - 2)))
                lists.push_back(*number);
            else
                mistake(QStringLiteral("there is no list %1 before it").arg(term));
        }
        if (own.isEmpty())
            return lists;
        if (const auto list = m_book->m_lists.add(QString(), own))
            lists.push_back(*list);
        else
            mistake(list.error());
        return lists;
    }

    QList<QRegularExpression> patternsOf(const QStringList &sources)
    {
        QList<QRegularExpression> patterns;
        for (const QString &source : sources) {
            QRegularExpression pattern(source,
                                       QRegularExpression::CaseInsensitiveOption
                                           | QRegularExpression::UseUnicodePropertiesOption);
            if (!pattern.isValid())
                mistake(QStringLiteral("the regex “%1”: %2").arg(source, pattern.errorString()));
            pattern.optimize();
            patterns.append(pattern);
        }
        return patterns;
    }

    void runTests()
    {
        for (const Rule &rule : m_book->m_rules)
            for (const QString &failure : m_book->failedTests(rule))
                m_mistakes.append(QStringLiteral("rule %1 %2").arg(rule.id, failure));
    }

    void mistake(const QString &what) { m_mistakes.append(m_where + QStringLiteral(": ") + what); }

    std::unique_ptr<RuleBook> m_book = std::make_unique<RuleBook>();
    QSet<QString> m_ids;
    QString m_where;
    QStringList m_mistakes;
};

std::expected<std::shared_ptr<const RuleBook>, QStringList> RuleBook::load(const QStringList &paths)
{
    QList<RuleFile> files;
    for (const QString &path : paths) {
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly))
            return std::unexpected(
                QStringList{QStringLiteral("%1: %2").arg(QFileInfo(path).fileName(), file.errorString())});
        files.append({QFileInfo(path).fileName(), file.readAll()});
    }
    return compile(files);
}

std::expected<std::shared_ptr<const RuleBook>, QStringList> RuleBook::compile(const QList<RuleFile> &files)
{
    return RuleReader().read(files);
}

} // namespace companion::moderation
