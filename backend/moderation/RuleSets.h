#pragma once

#include "common/Result.h"
#include "common/models/Moderation.h"
#include "db/Session.h"
#include "moderation/Engine.h"

#include <mutex>

namespace companion::moderation {

// The rule sets that operators edit, in the database, and the engine that runs the live one. Operator role; each call
// in the caller's transaction. What is published reaches the engine of every instance by catchUp(), after the commit.
class RuleSets
{
public:
    explicit RuleSets(std::shared_ptr<Engine> engine);

    struct Stored
    {
        int version = 0;
        QJsonObject files;
        QString note;
        qint64 edition = 0;
        UserId author;
        QDateTime changedAt;
        std::optional<int> rolledBackTo;
    };

    RulesOverview overview(db::Session &db) const;
    std::optional<Stored> stored(db::Session &db, int version) const; // 0: the draft
    RuleSet shown(db::Session &db, const Stored &set) const;
    // A draft may have mistakes. `expected` is the edition that it has now, 0 for none: precondition_failed otherwise.
    Result<Stored> putDraft(db::Session &db, const RuleDraft &draft, qint64 expected, const UserId &author) const;
    // The draft becomes the next version. invalid: with every mistake. not_found: there is no draft.
    Result<Stored> publish(db::Session &db, qint64 expected, const QString &note, const UserId &author) const;
    // The files of an earlier version (0: none but the program's own) become the next one.
    Result<Stored> rollback(db::Session &db, int version, const QString &note, const UserId &author) const;

    // The rules as they would be with these files, or every mistake: what does not read, a rule's own failing test, and
    // a text of the program's rules for what no mode allows that would get through.
    std::expected<std::shared_ptr<const RuleBook>, QStringList> compile(const QJsonObject &files) const;

    // Takes over the live version where it has changed; a set that does not compile leaves the engine as it is.
    std::expected<bool, QStringList> catchUp(db::Session &db);
    int liveVersion() const { return m_live; }
    const Engine &engine() const { return *m_engine; }

    static QList<RuleSummary> summaries(const RuleBook &book);

private:
    static QStringList unguarded(const RuleBook &builtIn, const RuleBook &book);
    Result<Stored> store(db::Session &db, const QJsonObject &files, const QString &note, const UserId &author,
                         std::optional<int> rolledBackTo) const;

    std::shared_ptr<Engine> m_engine;
    QList<RuleFile> m_builtIn;
    std::shared_ptr<const RuleBook> m_builtInBook;
    std::mutex m_catchingUp;
    std::atomic<int> m_live = 0;
};

} // namespace companion::moderation
