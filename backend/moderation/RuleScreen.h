#pragma once

#include "moderation/Screen.h"

#include <expected>

namespace companion::moderation {

class RuleBook;
struct RuleFile;

// The product's own rules: every *.json of a folder, read, checked and compiled once (docs/moderation.md has the form).
class RuleScreen final : public Screen
{
public:
    // The rules the program carries in itself.
    static QString builtInFolder();
    static QList<RuleFile> filesOf(const QString &folder);
    // Every mistake of every file, a rule's own tests among them, or a screen that has none.
    static std::expected<std::shared_ptr<const RuleScreen>, QStringList> load(const QString &folder = builtInFolder());

    explicit RuleScreen(std::shared_ptr<const RuleBook> book);
    ~RuleScreen() override;

    Verdict screen(const Text &text) const override;
    int ruleCount() const;

private:
    std::shared_ptr<const RuleBook> m_book;
};

} // namespace companion::moderation
