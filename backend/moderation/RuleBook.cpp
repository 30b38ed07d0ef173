#include "moderation/RuleBook.h"

#include <QSet>

#include <algorithm>

namespace companion::moderation {

// One text with its words, those of the messages before it in front, and where every list hits.
class RuleBook::Reading
{
public:
    Reading(const Text &text, const TermLists &lists)
        : m_text(text)
    {
        for (const QString &message : text.before)
            append(wordsOf(message, nextPosition()));
        m_ownFirst = static_cast<int>(m_words.size());
        append(wordsOf(text.text, nextPosition()));
        m_matches = lists.match(m_words);
    }

    std::optional<Span> spanOf(const Rule &rule) const
    {
        const int from = rule.acrossTurns ? 0 : m_ownFirst;
        for (const int list : rule.any)
            for (const Span span : hits(list))
                if (span.first >= from && span.last >= m_ownFirst && !isExcused(rule, span))
                    return span;
        return rule.all.empty() ? std::nullopt : combination(rule, from);
    }

    // In the text itself, whatever part of the span lies before it.
    std::pair<qsizetype, qsizetype> place(Span span) const
    {
        const Word &first = m_words[static_cast<std::size_t>(std::max(span.first, m_ownFirst))];
        const Word &last = m_words[static_cast<std::size_t>(span.last)];
        return {first.start, last.start + last.length - first.start};
    }

    QStringView text() const { return m_text.text; }

private:
    int nextPosition() const { return m_words.empty() ? 0 : m_words.back().position + 2; }

    void append(std::vector<Word> words)
    {
        m_words.insert(m_words.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
    }

    const std::vector<Span> &hits(int list) const { return m_matches[static_cast<std::size_t>(list)]; }

    int distance(Span a, Span b) const
    {
        const auto gap = [this](Span before, Span after) {
            return m_words[static_cast<std::size_t>(after.first)].position
                - m_words[static_cast<std::size_t>(before.last)].position - 1;
        };
        return std::max({0, gap(a, b), gap(b, a)});
    }

    bool isNear(const Rule &rule, Span a, Span b) const
    {
        const bool inOtherTurns = rule.acrossTurns && (a.first < m_ownFirst) != (b.first < m_ownFirst);
        return inOtherTurns || distance(a, b) <= rule.within;
    }

    std::optional<Span> nearest(const Rule &rule, const Rule::Lists &group, Span anchor, int from) const
    {
        for (const int list : group)
            for (const Span span : hits(list))
                if (span.first >= from && isNear(rule, anchor, span))
                    return span;
        return std::nullopt;
    }

    std::optional<Span> combination(const Rule &rule, int from) const
    {
        for (const int list : rule.all.front())
            for (const Span anchor : hits(list))
                if (anchor.first >= from)
                    if (const auto whole = completed(rule, anchor, from))
                        return whole;
        return std::nullopt;
    }

    std::optional<Span> completed(const Rule &rule, Span anchor, int from) const
    {
        Span whole = anchor;
        for (std::size_t i = 1; i < rule.all.size(); ++i) {
            const auto part = nearest(rule, rule.all[i], anchor, from);
            if (!part)
                return std::nullopt;
            whole = {std::min(whole.first, part->first), std::max(whole.last, part->last)};
        }
        const bool counts = whole.last >= m_ownFirst && !isExcused(rule, whole);
        return counts ? std::optional(whole) : std::nullopt;
    }

    bool isExcused(const Rule &rule, Span span) const
    {
        return std::ranges::any_of(rule.unless, [&](int list) {
            return std::ranges::any_of(hits(list),
                                       [&](Span excuse) { return distance(span, excuse) <= rule.unlessWithin; });
        });
    }

    Text m_text;
    std::vector<Word> m_words;
    int m_ownFirst = 0;
    Matches m_matches;
};

std::optional<RuleBook::Hit> RuleBook::hitOf(const Rule &rule, const Reading &reading) const
{
    if (const auto span = reading.spanOf(rule)) {
        const auto [start, length] = reading.place(*span);
        return Hit{&rule, start, length};
    }
    for (const QRegularExpression &pattern : rule.patterns)
        if (const auto match = pattern.match(reading.text()); match.hasMatch())
            return Hit{&rule, match.capturedStart(), match.capturedLength()};
    return std::nullopt;
}

std::optional<RuleBook::Hit> RuleBook::find(const Text &text) const
{
    const Reading reading(text, m_lists);
    QSet<QString> freed;
    for (const Rule &rule : m_rules) {
        if (!rule.appliesTo(text.direction, text.mode) || freed.contains(rule.category))
            continue;
        const auto hit = hitOf(rule, reading);
        if (hit && rule.action == Action::Allow)
            freed.insert(rule.category);
        else if (hit)
            return hit;
    }
    return std::nullopt;
}

std::optional<RuleBook::Hit> RuleBook::findAny(QStringView text) const
{
    const Reading reading({text}, m_lists);
    for (const Rule &rule : m_rules)
        if (const auto hit = hitOf(rule, reading))
            return hit;
    return std::nullopt;
}

QStringList RuleBook::failedTests(const Rule &rule) const
{
    QStringList failures;
    const auto test = [&](const QStringList &texts, bool wanted, const char *what) {
        for (const QString &text : texts) {
            const Reading reading({text, rule.directions.first(), rule.modes.first(), {}}, m_lists);
            if (hitOf(rule, reading).has_value() != wanted)
                failures.append(QStringLiteral("%1: “%2”").arg(QLatin1StringView(what), text));
        }
    };
    test(rule.mustHit, true, "does not hit");
    test(rule.mustPass, false, "must not hit");
    return failures;
}

} // namespace companion::moderation
