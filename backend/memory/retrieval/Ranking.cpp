#include "memory/retrieval/Ranking.h"

#include "memory/retrieval/Index.h"

#include <QSet>
#include <algorithm>
#include <array>
#include <cmath>

namespace companion::memory {

namespace {

using Index = Corpus::Index;
using Item = Index::Item;

// One word of the question, with the words that may stand for it.
struct AskedTerm
{
    struct Form
    {
        TermId id;
        float likeness;
    };
    float weight = 0;
    std::vector<Form> forms;
};

struct Asked
{
    std::vector<AskedTerm> terms;
    std::optional<Speaker> about;
    std::vector<DateSpan> dates;
    bool asksWhen = false;
};

double rarity(const Index &index, TermId term)
{
    const PostingTable::List *list = index.postings.find(term);
    const double having = list ? list->live : 0;
    return std::log(1.0 + (index.live - having + 0.5) / (having + 0.5));
}

// Who is meant: a name, or "I" and "you" where only one of them stands there.
class QuestionReader
{
public:
    QuestionReader(const Index &index, const Question &question, const RankingWeights &weights)
        : m_index(index)
        , m_question(question)
        , m_weights(weights)
    {
    }

    Asked read()
    {
        const std::vector<QString> words = wordsOf(m_question.text);
        const std::vector<QString> user = wordsOf(m_question.userName);
        const std::vector<QString> companion = wordsOf(m_question.companionName);
        bool namesUser = false;
        bool namesCompanion = false;
        QSet<TermId> seen;
        for (const QString &word : words) {
            const bool isUser = std::ranges::find(user, word) != user.end();
            const bool isCompanion = std::ranges::find(companion, word) != companion.end();
            namesUser |= isUser;
            namesCompanion |= isCompanion;
            if (isStopWord(word))
                continue;
            const TermId id = termIdOf(word);
            if (!seen.contains(id)) {
                seen.insert(id);
                take(word, id, isUser || isCompanion);
            }
        }
        if (namesUser != namesCompanion)
            m_asked.about = namesUser ? Speaker::User : Speaker::Companion;
        static const QString when = QStringLiteral("when");
        m_asked.asksWhen = std::ranges::find(words, when) != words.end();
        for (const DatedPhrase &phrase : datesIn(m_question.text, m_question.askedAt.date()))
            m_asked.dates.push_back(phrase.span);
        return m_asked;
    }

private:
    void take(const QString &word, TermId id, bool isSpeaker)
    {
        AskedTerm term;
        term.weight = float(rarity(m_index, id) * (isSpeaker ? m_weights.nameTerm : 1.0));
        term.forms.push_back({id, 1.0F});
        if (!isSpeaker && m_index.words && m_weights.alike > 0)
            addAlike(word, term);
        m_asked.terms.push_back(term);
    }

    void addAlike(const QString &word, AskedTerm &term) const
    {
        for (const auto &near : m_index.words->nearest(word, m_weights.alikeWords, float(m_weights.alikeFrom))) {
            const TermId id = termIdOf(near.word);
            const bool known = std::ranges::any_of(term.forms, [&](const auto &form) { return form.id == id; });
            if (!known && m_index.postings.find(id))
                term.forms.push_back({id, float(near.likeness * m_weights.alike)});
        }
    }

    const Index &m_index;
    const Question &m_question;
    const RankingWeights &m_weights;
    Asked m_asked;
};

class Scorer
{
public:
    Scorer(const Index &index, const Question &question, const RankingWeights &weights)
        : m_index(index)
        , m_question(question)
        , m_weights(weights)
        , m_asked(QuestionReader(index, question, weights).read())
        , m_own(index.items.size(), 0.0F)
    {
    }

    std::vector<float> score()
    {
        addLexical();
        addMeaning();
        applyForm();
        return spread();
    }

private:
    void addLexical()
    {
        double all = 0;
        for (const AskedTerm &term : m_asked.terms)
            all += term.weight;
        if (all <= 0 || m_weights.lexical == 0)
            return;
        std::vector<float> best(m_own.size(), 0.0F);
        std::vector<quint32> touched;
        const double meanLength = std::max(1.0, double(m_index.liveLength) / std::max(1U, m_index.live));
        for (const AskedTerm &term : m_asked.terms) {
            touched.clear();
            for (const auto &form : term.forms)
                addForm(form, meanLength, best, touched);
            const auto factor = float(term.weight / all * m_weights.lexical);
            for (const quint32 i : touched) {
                m_own[i] += factor * best[i];
                best[i] = 0;
            }
        }
    }

    void addForm(const AskedTerm::Form &form, double meanLength, std::vector<float> &best, std::vector<quint32> &touched)
    {
        const PostingTable::List *list = m_index.postings.find(form.id);
        if (!list)
            return;
        const auto k1 = float(m_weights.k1);
        const auto fixed = float(k1 * (1 - m_weights.b));
        const auto perLength = float(k1 * m_weights.b / meanLength);
        for (const auto &posting : list->postings) {
            const float length = m_index.items[posting.item].length;
            const float value = form.likeness * posting.count * (k1 + 1) / (posting.count + fixed + perLength * length);
            if (best[posting.item] == 0)
                touched.push_back(posting.item);
            best[posting.item] = std::max(best[posting.item], value);
        }
    }

    void addMeaning()
    {
        if (m_weights.meaning == 0 || m_question.vector.size() != size_t(m_index.dimension) || m_own.empty())
            return;
        std::vector<float> cosines(m_own.size());
        dotProducts(m_index.matrix, m_question.vector, cosines);
        for (size_t i = 0; i < m_own.size(); ++i)
            m_own[i] += float(m_weights.meaning) * std::max(0.0F, cosines[i]);
    }

    void applyForm()
    {
        for (size_t i = 0; i < m_own.size(); ++i) {
            const Item &item = m_index.items[i];
            if (item.gone)
                m_own[i] = 0;
            if (m_asked.about && item.speaker == *m_asked.about)
                m_own[i] *= float(1 + m_weights.speaker);
            if (item.isQuestion)
                m_own[i] *= float(1 - m_weights.question);
        }
    }

    float ownOf(quint32 item) const { return item == noItem ? 0.0F : m_own[item]; }

    std::vector<float> spread() const
    {
        std::vector<float> out(m_own.size());
        for (size_t i = 0; i < m_own.size(); ++i) {
            const Item &item = m_index.items[i];
            double value = m_own[i];
            if (item.before != noItem) {
                const Item &before = m_index.items[item.before];
                value += (m_weights.before + (before.isQuestion ? m_weights.answer : 0)) * m_own[item.before];
                value += m_weights.secondBefore * ownOf(before.before);
            }
            if (item.after != noItem) {
                value += m_weights.after * m_own[item.after];
                value += m_weights.secondAfter * ownOf(m_index.items[item.after].after);
            }
            out[i] = float(value + bonus(item));
        }
        return out;
    }

    double bonus(const Item &item) const
    {
        double value = 0;
        const auto dates = m_index.datesOf(item);
        if (m_asked.asksWhen && !dates.empty())
            value += m_weights.when;
        return value;
    }

    const Index &m_index;
    const Question &m_question;
    const RankingWeights &m_weights;
    Asked m_asked;
    std::vector<float> m_own;
};

} // namespace

std::vector<Recalled> Corpus::rank(const Question &question, int k, const RankingWeights &weights) const
{
    const Index &index = *m_index;
    const std::vector<float> scores = Scorer(index, question, weights).score();
    std::vector<quint32> order;
    for (quint32 i = 0; i < index.items.size(); ++i)
        if (!index.items[i].gone && scores[i] > 0)
            order.push_back(i);
    std::ranges::sort(order, [&](quint32 a, quint32 b) { return scores[a] > scores[b]; });
    std::vector<Recalled> out;
    QSet<quint64> said;
    for (const quint32 i : order) {
        if (int(out.size()) == k)
            break;
        if (said.contains(index.items[i].sameness))
            continue;
        said.insert(index.items[i].sameness);
        out.push_back({index.items[i].id, scores[i], false});
    }
    return out;
}

} // namespace companion::memory
