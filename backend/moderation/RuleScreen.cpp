#include "moderation/RuleScreen.h"

#include "moderation/Engine.h"

#include <QDir>
#include <QFile>

namespace companion::moderation {

QString RuleScreen::builtInFolder()
{
    return QStringLiteral(":/companion/rules");
}

QList<RuleFile> RuleScreen::filesOf(const QString &folder)
{
    QList<RuleFile> files;
    const QDir dir(folder);
    for (const QString &name : dir.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name)) {
        QFile file(dir.filePath(name));
        files.append({name, file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray()});
    }
    return files;
}

std::expected<std::shared_ptr<const RuleScreen>, QStringList> RuleScreen::load(const QString &folder)
{
    auto book = RuleBook::compile(filesOf(folder));
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
    return Engine::screen(text, *m_book, nullptr);
}

int RuleScreen::ruleCount() const
{
    return static_cast<int>(m_book->rules().size());
}

} // namespace companion::moderation
