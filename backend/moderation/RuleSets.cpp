#include "moderation/RuleSets.h"

#include "moderation/RuleScreen.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMap>
#include <QRegularExpression>

#include <algorithm>
#include <array>

namespace companion::moderation {

namespace {

constexpr std::array guarded{"sexual_minors", "non_consensual", "violence", "weapons", "trafficking"};

RuleSets::Stored storedOf(const db::Row &row)
{
    const auto rolledBackTo = row.maybeInteger("rolled_back_to");
    return {.version = static_cast<int>(row.integer("version")),
            .files = row.object("files"),
            .note = row.text("note"),
            .edition = row.integer("edition"),
            .author = row.id<UserId>("author"),
            .changedAt = row.time("changed_at"),
            .rolledBackTo = rolledBackTo ? std::optional(static_cast<int>(*rolledBackTo)) : std::nullopt};
}

Refusal noSuchSet()
{
    return {ErrorCode::NotFound, QStringLiteral("There is no such rule set.")};
}

Refusal mistaken(const QStringList &mistakes)
{
    Refusal refusal{ErrorCode::Invalid, QStringLiteral("The rules have mistakes; the live ones stay.")};
    for (const QString &mistake : mistakes.first(std::min<qsizetype>(mistakes.size(), 50)))
        refusal.errors.append({QStringLiteral("/files"), mistake});
    return refusal;
}

template <NamedEnum E>
QStringList namesOf(const QList<E> &values)
{
    QStringList names;
    for (const E value : values)
        names.append(toText(value));
    return names;
}

QStringList badNames(const QJsonObject &files)
{
    static const QRegularExpression pattern(QStringLiteral("\\A[0-9]{2}-[a-z0-9-]{1,60}\\.json\\z"));
    QStringList mistakes;
    for (auto file = files.begin(); file != files.end(); ++file) {
        if (!pattern.match(file.key()).hasMatch())
            mistakes.append(QStringLiteral("%1: a rule file is called like 45-name.json").arg(file.key()));
        if (!file.value().isObject())
            mistakes.append(QStringLiteral("%1: must hold an object").arg(file.key()));
    }
    return mistakes;
}

} // namespace

RuleSets::RuleSets(std::shared_ptr<Engine> engine)
    : m_engine(std::move(engine))
    , m_builtIn(RuleScreen::filesOf(RuleScreen::builtInFolder()))
    , m_builtInBook(m_engine->rules())
{
}

QList<RuleSummary> RuleSets::summaries(const RuleBook &book)
{
    QList<RuleSummary> rules;
    for (const Rule &rule : book.rules())
        rules.append({rule.id, rule.category, toText(rule.action), toText(rule.severity), namesOf(rule.modes),
                      namesOf(rule.directions)});
    return rules;
}

std::expected<std::shared_ptr<const RuleBook>, QStringList> RuleSets::compile(const QJsonObject &files) const
{
    if (const QStringList mistakes = badNames(files); !mistakes.isEmpty())
        return std::unexpected(mistakes);
    QMap<QString, QByteArray> together;
    for (const RuleFile &file : m_builtIn)
        together.insert(file.name, file.content);
    for (auto file = files.begin(); file != files.end(); ++file)
        together.insert(file.key(), QJsonDocument(file.value().toObject()).toJson(QJsonDocument::Compact));
    QList<RuleFile> set;
    for (auto file = together.constBegin(); file != together.constEnd(); ++file)
        set.append({file.key(), file.value()});
    auto book = RuleBook::compile(set);
    if (!book)
        return std::unexpected(book.error());
    if (const QStringList open = unguarded(*m_builtInBook, **book); !open.isEmpty())
        return std::unexpected(open);
    return *book;
}

// What no mode relaxes, no edit relaxes: the texts that the program's own rules name must be stopped by any set.
QStringList RuleSets::unguarded(const RuleBook &builtIn, const RuleBook &book)
{
    QStringList open;
    for (const Rule &rule : builtIn.rules()) {
        const bool isGuarded = rule.action == Action::Block
            && std::ranges::any_of(guarded, [&](const char *name) { return rule.category == QLatin1StringView(name); });
        if (!isGuarded)
            continue;
        for (const QString &text : rule.mustHit)
            for (const Mode mode : rule.modes) {
                const Text seen{text, rule.directions.first(), mode, {}};
                if (!Engine::screen(seen, book, nullptr).isStopped())
                    open.append(QStringLiteral("%1: no mode allows this, and these rules let it through: “%2”")
                                    .arg(rule.id, text));
            }
    }
    return open;
}

std::optional<RuleSets::Stored> RuleSets::stored(db::Session &db, int version) const
{
    const auto row = db.first("moderation.rule_set", {{"version", version}});
    return row ? std::optional(storedOf(*row)) : std::nullopt;
}

RuleSet RuleSets::shown(db::Session &db, const Stored &set) const
{
    const auto live = db.one("moderation.live_rule_version", {}).integer("version");
    RuleSet view{.version = set.version,
                 .status = set.version == 0 ? QStringLiteral("draft")
                     : set.version == live  ? QStringLiteral("live")
                                            : QStringLiteral("retired"),
                 .note = set.note,
                 .author = set.author,
                 .changedAt = set.changedAt,
                 .rolledBackTo = set.rolledBackTo,
                 .files = set.files};
    if (const auto book = compile(set.files))
        view.rules = summaries(**book);
    else
        view.mistakes = book.error();
    return view;
}

RulesOverview RuleSets::overview(db::Session &db) const
{
    RulesOverview view;
    view.live = static_cast<int>(db.one("moderation.live_rule_version", {}).integer("version"));
    view.hasDraft = stored(db, 0).has_value();
    if (m_engine->classifier())
        view.classifier = m_engine->classifier()->version();
    view.rules = summaries(*m_engine->rules());
    const auto rows = db.rows("moderation.rule_versions", {});
    for (const db::Row &row : rows) {
        const auto rolledBackTo = row.maybeInteger("rolled_back_to");
        view.versions.append({static_cast<int>(row.integer("version")), row.text("note"), row.id<UserId>("author"),
                              row.time("changed_at"),
                              rolledBackTo ? std::optional(static_cast<int>(*rolledBackTo)) : std::nullopt});
    }
    return view;
}

Result<RuleSets::Stored> RuleSets::putDraft(db::Session &db, const RuleDraft &draft, qint64 expected,
                                            const UserId &author) const
{
    db.one("moderation.lock_rules", {});
    const auto before = db.first("moderation.lock_draft", {});
    if ((before ? before->integer("edition") : 0) != expected)
        return refuse(ErrorCode::PreconditionFailed, QStringLiteral("The draft has been changed meanwhile."));
    if (const QStringList mistakes = badNames(draft.files); !mistakes.isEmpty())
        return std::unexpected(mistaken(mistakes));
    db.execute("moderation.put_draft",
               {{"files", draft.files}, {"note", draft.note}, {"author", author}, {"now", db.now()}});
    return *stored(db, 0);
}

Result<RuleSets::Stored> RuleSets::publish(db::Session &db, qint64 expected, const QString &note,
                                           const UserId &author) const
{
    db.one("moderation.lock_rules", {});
    const auto row = db.first("moderation.lock_draft", {});
    if (!row)
        return std::unexpected(noSuchSet());
    const Stored draft = storedOf(*row);
    if (draft.edition != expected)
        return refuse(ErrorCode::PreconditionFailed, QStringLiteral("The draft has been changed meanwhile."));
    auto published = store(db, draft.files, note, author, std::nullopt);
    if (published)
        db.execute("moderation.drop_draft", {});
    return published;
}

Result<RuleSets::Stored> RuleSets::rollback(db::Session &db, int version, const QString &note,
                                            const UserId &author) const
{
    db.one("moderation.lock_rules", {});
    const auto earlier = version > 0 ? stored(db, version) : std::nullopt;
    if (version > 0 && !earlier)
        return std::unexpected(noSuchSet());
    return store(db, earlier ? earlier->files : QJsonObject(), note, author, version);
}

Result<RuleSets::Stored> RuleSets::store(db::Session &db, const QJsonObject &files, const QString &note,
                                         const UserId &author, std::optional<int> rolledBackTo) const
{
    if (const auto book = compile(files); !book)
        return std::unexpected(mistaken(book.error()));
    const auto version = db.one("moderation.publish_rules",
                                {{"files", files},
                                 {"note", note},
                                 {"author", author},
                                 {"now", db.now()},
                                 {"rolled_back_to", rolledBackTo}})
                             .integer("version");
    return *stored(db, static_cast<int>(version));
}

std::expected<bool, QStringList> RuleSets::catchUp(db::Session &db)
{
    const std::lock_guard lock(m_catchingUp);
    if (db.one("moderation.live_rule_version", {}).integer("version") == m_live)
        return false;
    const auto row = db.first("moderation.live_rule_set", {});
    const Stored live = row ? storedOf(*row) : Stored();
    auto book = compile(live.files);
    if (!book)
        return std::unexpected(book.error());
    m_engine->exchangeRules(std::move(*book));
    m_live = live.version;
    return true;
}

} // namespace companion::moderation
