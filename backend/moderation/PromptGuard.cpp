#include "moderation/PromptGuard.h"

#include "moderation/Words.h"

namespace companion::moderation {

namespace {

std::uint64_t hashOf(const std::string &word)
{
    std::uint64_t hash = 14'695'981'039'346'656'037ULL;
    for (const char letter : word)
        hash = (hash ^ static_cast<std::uint8_t>(letter)) * 1'099'511'628'211ULL;
    return hash;
}

std::vector<std::uint64_t> runsOf(const std::vector<Word> &words)
{
    std::vector<std::uint64_t> hashes;
    hashes.reserve(words.size());
    for (const Word &word : words)
        hashes.push_back(hashOf(word.spelling));
    std::vector<std::uint64_t> runs;
    for (std::size_t first = 0; first + PromptGuard::run_words <= hashes.size(); ++first) {
        std::uint64_t run = 0;
        for (std::size_t i = 0; i < PromptGuard::run_words; ++i)
            run = (run ^ hashes[first + i]) * 0x9e37'79b9'7f4a'7c15ULL;
        runs.push_back(run);
    }
    return runs;
}

} // namespace

PromptGuard::PromptGuard(std::shared_ptr<const Screen> inner, QStringView instructions)
    : m_inner(std::move(inner))
{
    const auto runs = runsOf(wordsOf(instructions));
    m_runs.insert(runs.begin(), runs.end());
}

Verdict PromptGuard::screen(const Text &text) const
{
    Verdict verdict = m_inner->screen(text);
    if (verdict.isStopped() || text.direction == Direction::Input || m_runs.empty())
        return verdict;
    const std::vector<Word> words = wordsOf(text.text);
    const auto runs = runsOf(words);
    for (std::size_t first = 0; first < runs.size(); ++first)
        if (m_runs.contains(runs[first])) {
            const Word &last = words[first + run_words - 1];
            verdict.action = Action::Block;
            verdict.category = QStringLiteral("prompt_leak");
            verdict.rule = QStringLiteral("prompt-guard");
            verdict.start = words[first].start;
            verdict.length = last.start + last.length - verdict.start;
            return verdict;
        }
    return verdict;
}

} // namespace companion::moderation
