#include "moderation/RuleScreen.h"

#include "moderation/RuleBook.h"

#include <QDir>

namespace companion::moderation {

QString RuleScreen::builtInFolder()
{
    return QStringLiteral(":/companion/rules");
}

std::expected<std::shared_ptr<const RuleScreen>, QStringList> RuleScreen::load(const QString &folder)
{
    QStringList files;
    const QDir dir(folder);
    for (const QString &name : dir.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name))
        files.append(dir.filePath(name));
    auto book = RuleBook::load(files);
    if (!book)
        return std::unexpected(book.error());
    return std::make_shared<const RuleScreen>(std::move(*book));
}

RuleScreen::RuleScreen(std::shared_ptr<const RuleBook> book)
    : m_book(std::move(book))
{
}

RuleScreen::~RuleScreen() = default;

Verdict RuleScreen::screen(const Text &text) const
{
    Verdict verdict;
    verdict.direction = text.direction;
    verdict.mode = text.mode;
    if (const auto hit = m_book->find(text)) {
        verdict.action = hit->rule->action;
        verdict.severity = hit->rule->severity;
        verdict.category = hit->rule->category;
        verdict.rule = hit->rule->id;
        verdict.start = hit->start;
        verdict.length = hit->length;
    }
    return verdict;
}

int RuleScreen::ruleCount() const
{
    return static_cast<int>(m_book->rules().size());
}

} // namespace companion::moderation
