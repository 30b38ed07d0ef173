#include "moderation/Screen.h"

#include <algorithm>

namespace companion::moderation {

namespace {

// How much of what was released is read again with what follows: enough for a cue and its counterpart.
constexpr qsizetype contextLength = 600;

bool endsSentence(QChar character)
{
    return character == u'.' || character == u'!' || character == u'?' || character == u'…';
}

// Behind the last sentence that is surely complete: its sign has a blank after it, or it is a line.
qsizetype endOfSentences(const QString &text)
{
    for (qsizetype at = text.size() - 1; at >= 0; --at) {
        const bool isEnd =
            text[at] == u'\n' || (text[at].isSpace() && at > 0 && endsSentence(text[at - 1])) || text[at] == u'。';
        if (isEnd)
            return at + 1;
    }
    return 0;
}

// The start of the last `count` words.
qsizetype startOfLastWords(const QString &text, int count)
{
    for (qsizetype at = text.size() - 1; at > 0; --at)
        if (text[at - 1].isSpace() && !text[at].isSpace() && --count == 0)
            return at;
    return 0;
}

} // namespace

OutputScreen::OutputScreen(std::shared_ptr<const Screen> screen, Mode mode, QStringList before, int window_words)
    : m_screen(std::move(screen))
    , m_mode(mode)
    , m_before(std::move(before))
    , m_window(window_words)
{
}

Release OutputScreen::feed(const QString &delta)
{
    if (m_hit)
        return {{}, m_hit};
    m_pending += delta;
    const qsizetype length = readyLength();
    return length > 0 ? release(length) : Release{};
}

Release OutputScreen::finish()
{
    if (m_hit)
        return {{}, m_hit};
    return m_pending.isEmpty() ? Release{} : release(m_pending.size());
}

qsizetype OutputScreen::readyLength() const
{
    return std::max(endOfSentences(m_pending), startOfLastWords(m_pending, m_window));
}

// All that is there is read, also what is not yet released: more to see the danger by. What was read so is not read
// again when nothing has come since.
Release OutputScreen::release(qsizetype length)
{
    if (const qsizetype all = m_released.size() + m_pending.size(); m_read < all) {
        m_hit = screened();
        m_read = all;
    }
    if (m_hit)
        return {{}, m_hit};
    const QString passed = m_pending.first(length);
    m_released += passed;
    m_pending.remove(0, length);
    return {passed, std::nullopt};
}

std::optional<Verdict> OutputScreen::screened() const
{
    const QString context = m_released.last(std::min(contextLength, m_released.size()));
    const QString whole = context + m_pending;
    Verdict verdict = m_screen->screen({whole, Direction::Output, m_mode, m_before});
    qsizetype offset = m_released.size() - context.size();
    // A hit that lies in the context alone has only lost what excused it there: look at the new text by itself.
    if (verdict.isStopped() && verdict.start + verdict.length <= context.size()) {
        verdict = m_screen->screen({m_pending, Direction::Output, m_mode, m_before});
        offset = m_released.size();
    }
    if (!verdict.isStopped())
        return std::nullopt;
    verdict.start += offset;
    return verdict;
}

} // namespace companion::moderation
