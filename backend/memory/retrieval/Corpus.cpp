#include "memory/retrieval/Corpus.h"

#include "memory/retrieval/Index.h"
#include "memory/retrieval/Ranking.h"

namespace companion::memory {

Corpus::Corpus(int dimension, const LocalEmbedder *words)
    : m_index(std::make_unique<Index>())
{
    m_index->dimension = dimension;
    m_index->words = words;
}

Corpus::Corpus(Corpus &&) noexcept = default;
Corpus &Corpus::operator=(Corpus &&) noexcept = default;
Corpus::~Corpus() = default;

int Corpus::dimension() const
{
    return m_index->dimension;
}

int Corpus::size() const
{
    return int(m_index->live);
}

bool Corpus::contains(const QUuid &id) const
{
    return m_index->byId.contains(id);
}

size_t Corpus::bytes() const
{
    const Index &index = *m_index;
    constexpr size_t perHashed = 48;
    return sizeof(Index) + index.items.capacity() * (sizeof(Index::Item) + sizeof(Index::Detail))
        + index.terms.capacity() * sizeof(TermId) + index.dates.capacity() * sizeof(DateSpan)
        + index.matrix.capacity() * sizeof(Half) + index.terms.size() * sizeof(PostingTable::Posting)
        + index.postings.terms() * (sizeof(PostingTable::List) * 2) + size_t(index.byId.size()) * perHashed;
}

void Corpus::reserve(int memories)
{
    const auto count = size_t(std::max(memories, 0));
    m_index->items.reserve(count);
    m_index->details.reserve(count);
    m_index->terms.reserve(count * 12);
    m_index->matrix.reserve(count * size_t(m_index->dimension));
    m_index->byId.reserve(memories);
}

void Corpus::append(const MemoryEntry &entry)
{
    remove(entry.id);
    m_index->append(entry);
}

void Corpus::remove(const QUuid &id)
{
    const auto known = m_index->byId.constFind(id);
    if (known == m_index->byId.cend())
        return;
    m_index->remove(*known);
    m_index->compactIfWorth();
}

void Corpus::removeConversation(const QUuid &conversation)
{
    const auto number = m_index->conversations.constFind(conversation);
    if (number == m_index->conversations.cend())
        return;
    for (quint32 item = m_index->lastOf[*number]; item != noItem;) {
        const quint32 before = m_index->items[item].before;
        m_index->remove(item);
        item = before;
    }
    m_index->compactIfWorth();
}

void Corpus::setVector(const QUuid &id, std::span<const Half> vector)
{
    const auto known = m_index->byId.constFind(id);
    if (known != m_index->byId.cend())
        m_index->setVector(*known, vector);
}

std::vector<Recalled> Corpus::rank(const Question &question, int k) const
{
    return rank(question, k, RankingWeights());
}

} // namespace companion::memory
