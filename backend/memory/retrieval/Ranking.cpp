#include "memory/retrieval/Ranking.h"

#include "memory/retrieval/Asked.h"

#include <QSet>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace companion::memory {

namespace {

using Index = Corpus::Index;
using Item = Index::Item;

// The scores of all turns for one question. Arrays of one float a turn, in the order in which they were appended.
class Scorer
{
public:
    Scorer(const Index &index, const Question &question, const RankingWeights &weights)
        : m_index(index)
        , m_weights(weights)
        , m_question(question)
        , m_asked(understand(index, question, weights))
        , m_own(index.items.size(), 0.0F)
        , m_scratch(index.items.size(), 0.0F)
    {
    }

    void run()
    {
        m_scores = m_own;
        if (!m_asked.hasContent)
            return;
        if (m_weights.lexical > 0)
            addWords();
        if (m_weights.pair > 0)
            addPairs();
        if (m_weights.meaning > 0)
            addMeaning();
        applyForm();
        m_scores = m_own;
        spreadToNeighbours();
        if (m_weights.near > 0)
            spreadAlongConversations();
        weighWhole();
    }
    float score(quint32 item) const { return m_scores[item]; }
    bool isNeighbour(quint32 item) const { return m_own[item] < 0.3F * m_scores[item]; }

private:
    // BM25 with a word's best form in place of a sum over its forms.
    void addWords()
    {
        const float meanLength = float(std::max(1.0, double(m_index.liveLength) / std::max(1U, m_index.live)));
        std::vector<quint32> touched;
        for (const Asked::Word &word : m_asked.words) {
            touched.clear();
            for (const Asked::Form &form : word.forms)
                addForm(form, meanLength, touched);
            const auto factor = float(word.weight * m_weights.lexical);
            for (const quint32 i : touched)
                m_own[i] += factor * std::exchange(m_scratch[i], 0.0F);
        }
    }

    void addForm(const Asked::Form &form, float meanLength, std::vector<quint32> &touched)
    {
        const PostingTable::List *list = m_index.postings.find(form.id);
        if (!list)
            return;
        const auto k1 = float(m_weights.k1);
        const auto fixed = float(k1 * (1 - m_weights.b));
        const auto perTerm = float(k1 * m_weights.b / meanLength);
        for (const auto &[item, count] : list->postings) {
            if (count == 0)
                continue;
            const auto length = float(m_index.items[item].length);
            const float value = form.likeness * count * (k1 + 1) / (count + fixed + perTerm * length);
            if (m_scratch[item] == 0)
                touched.push_back(item);
            m_scratch[item] = std::max(m_scratch[item], value);
        }
    }

    void addPairs()
    {
        for (const Asked::Pair &pair : m_asked.pairs) {
            const PostingTable::List *first = m_index.postings.find(pair.first);
            const PostingTable::List *second = m_index.postings.find(pair.second);
            if (!first || !second)
                continue;
            const auto &fewer = first->live < second->live ? first->postings : second->postings;
            for (const auto &[item, count] : fewer)
                if (count > 0 && standClose(m_index.termsOf(item), pair))
                    m_own[item] += float(m_weights.pair) * pair.weight;
        }
    }

    bool standClose(std::span<const TermId> terms, const Asked::Pair &pair) const
    {
        const auto window = size_t(m_weights.pairWindow);
        for (size_t i = 0; i < terms.size(); ++i) {
            if (terms[i] != pair.first)
                continue;
            for (size_t j = i + 1; j < std::min(terms.size(), i + 1 + window); ++j)
                if (terms[j] == pair.second)
                    return true;
        }
        return false;
    }

    // What a store elsewhere did not name is no nearer than the farthest that it named.
    void addToldMeaning(const std::vector<std::pair<QUuid, float>> &nearest)
    {
        float least = nearest.empty() ? 0 : 1;
        for (const auto &[id, cosine] : nearest)
            least = std::clamp(cosine, 0.0F, least);
        for (float &own : m_own)
            own += float(m_weights.meaning) * least;
        for (const auto &[id, cosine] : nearest)
            if (const auto item = m_index.byId.constFind(id); item != m_index.byId.constEnd())
                m_own[*item] += float(m_weights.meaning) * (std::max(0.0F, cosine) - least);
    }

    void addMeaning()
    {
        if (m_question.nearest)
            return addToldMeaning(*m_question.nearest);
        if (m_question.vector.size() != size_t(m_index.dimension) || m_own.empty())
            return;
        std::vector<float> cosines(m_own.size());
        dotProducts(m_index.matrix, m_question.vector, cosines);
        for (size_t i = 0; i < m_own.size(); ++i)
            m_own[i] += float(m_weights.meaning) * std::max(0.0F, cosines[i]);
    }

    bool isAbout(const Item &item) const { return m_asked.about && item.speaker == *m_asked.about; }

    void applyForm()
    {
        for (size_t i = 0; i < m_own.size(); ++i) {
            const Item &item = m_index.items[i];
            if (item.gone)
                m_own[i] = 0;
            if (isAbout(item))
                m_own[i] *= float(1 + m_weights.speaker);
            if (item.isQuestion)
                m_own[i] *= float(1 - m_weights.question);
        }
    }

    // Talk answers and takes up what was said just before: a turn counts with those around it.
    void spreadToNeighbours()
    {
        for (size_t i = 0; i < m_own.size(); ++i) {
            const Item &item = m_index.items[i];
            double more = 0;
            if (item.before != noItem) {
                const Item &before = m_index.items[item.before];
                more += (m_weights.before + (before.isQuestion ? m_weights.answer : 0)) * m_own[item.before];
                more += m_weights.secondBefore * ownOf(before.before);
            }
            if (item.after != noItem) {
                more += m_weights.after * m_own[item.after];
                more += m_weights.secondAfter * ownOf(m_index.items[item.after].after);
            }
            m_scores[i] += float(more);
        }
    }

    float ownOf(quint32 item) const { return item == noItem ? 0.0F : m_own[item]; }

    void spreadAlongConversations()
    {
        for (const quint32 last : m_index.lastOf) {
            quint32 first = noItem;
            for (quint32 i = last, next = noItem; i != noItem; next = i, i = m_index.items[i].before) {
                m_scratch[i] = std::max(m_own[i], fadedFrom(next));
                first = i;
            }
            float best = 0;
            for (quint32 i = first; i != noItem; i = m_index.items[i].after) {
                best = std::max(m_own[i], best * float(m_weights.nearDecay));
                m_scores[i] += float(m_weights.near) * std::max(best, m_scratch[i]);
            }
        }
    }

    float fadedFrom(quint32 item) const { return item == noItem ? 0.0F : m_scratch[item] * float(m_weights.nearDecay); }

    void weighWhole()
    {
        std::array<float, 64> shortness{};
        for (size_t length = 0; length < shortness.size(); ++length)
            shortness[length] = float(1 - m_weights.shortness * std::exp(-double(length) / m_weights.shortLength));
        for (size_t i = 0; i < m_scores.size(); ++i) {
            const Item &item = m_index.items[i];
            float &score = m_scores[i];
            if (isAbout(item))
                score *= float(1 + m_weights.speakerAfter);
            if (item.isQuestion)
                score *= float(1 - m_weights.questionAfter);
            score *= shortness[std::min<size_t>(item.length, shortness.size() - 1)];
            score *= recencyOf(item);
        }
        if (!m_asked.dates.empty())
            for (quint32 i = 0; i < m_scores.size(); ++i)
                m_scores[i] += dateBonus(i);
    }

    float recencyOf(const Item &item) const
    {
        const auto age_days = float(std::max<qint64>(0, m_askedOn - item.saidOn));
        return 1 + float(m_weights.recency) / (1 + age_days / float(m_weights.recencyHalf_days));
    }

    float dateBonus(quint32 item) const
    {
        const auto fits = [this](const DateSpan &span) {
            return std::ranges::any_of(m_asked.dates, [&](const DateSpan &asked) { return asked.overlaps(span); });
        };
        if (std::ranges::any_of(m_index.datesOf(item), fits))
            return float(m_weights.date);
        const QDate said = QDate::fromJulianDay(m_index.items[item].saidOn);
        return fits({said, said}) ? float(m_weights.saidThen) : 0.0F;
    }

    const Index &m_index;
    const RankingWeights &m_weights;
    const Question &m_question;
    Asked m_asked;
    qint64 m_askedOn = m_question.askedAt.date().toJulianDay();
    std::vector<float> m_own; // what a turn itself has of the question
    std::vector<float> m_scores;
    std::vector<float> m_scratch; // zeros between uses, until the conversations are walked
};

// Which turns may be returned at all.
class Choice
{
public:
    Choice(const Index &index, const Question &question)
        : m_index(index)
        , m_scoped(!question.scope.isNull())
        , m_scope(index.scopes.value(question.scope, noItem))
    {
        for (const QUuid &id : question.alreadyShown)
            m_shown.insert(index.byId.value(id, noItem));
    }
    bool may(quint32 number) const
    {
        const Item &item = m_index.items[number];
        return !item.gone && (!m_scoped || m_index.details[number].scope == m_scope) && !m_shown.contains(number);
    }

private:
    const Index &m_index;
    bool m_scoped;
    quint32 m_scope;
    QSet<quint32> m_shown;
};

std::vector<Recalled> bestOf(const Index &index, const Scorer &scorer, std::vector<quint32> candidates, size_t k)
{
    const auto better = [&](quint32 a, quint32 b) {
        return scorer.score(a) != scorer.score(b) ? scorer.score(a) > scorer.score(b) : a > b;
    };
    std::vector<Recalled> best;
    QSet<quint64> said;
    // A heap rather than a sort: few of many are wanted, how many depends on the repetitions among them.
    std::ranges::make_heap(candidates, [&](quint32 a, quint32 b) { return better(b, a); });
    while (best.size() < k && !candidates.empty()) {
        std::ranges::pop_heap(candidates, [&](quint32 a, quint32 b) { return better(b, a); });
        const quint32 item = candidates.back();
        candidates.pop_back();
        const quint64 sameness = index.details[item].sameness;
        if (said.contains(sameness))
            continue;
        said.insert(sameness);
        best.push_back({index.details[item].id, scorer.score(item), scorer.isNeighbour(item)});
    }
    return best;
}

} // namespace

std::vector<Recalled> Corpus::rank(const Question &question, int k, const RankingWeights &weights) const
{
    const Index &index = *m_index;
    Scorer scorer(index, question, weights);
    scorer.run();
    const Choice choice(index, question);
    std::vector<quint32> candidates;
    for (quint32 i = 0; i < index.items.size(); ++i)
        if (scorer.score(i) > 0 && choice.may(i))
            candidates.push_back(i);
    return bestOf(index, scorer, std::move(candidates), size_t(std::max(k, 0)));
}

} // namespace companion::memory
