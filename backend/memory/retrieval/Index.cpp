#include "memory/retrieval/Index.h"

#include <algorithm>

namespace companion::memory {

PostingTable::PostingTable()
    : m_slots(1024)
{
}

size_t PostingTable::slotOf(TermId term) const
{
    const size_t mask = m_slots.size() - 1;
    size_t at = (term * 0x9e3779b9U) & mask;
    while (m_slots[at].list != 0 && m_slots[at].term != term)
        at = (at + 1) & mask;
    return at;
}

void PostingTable::grow()
{
    std::vector<Slot> old = std::exchange(m_slots, std::vector<Slot>(m_slots.size() * 2));
    for (const Slot &slot : old)
        if (slot.list != 0)
            m_slots[slotOf(slot.term)] = slot;
}

PostingTable::List &PostingTable::at(TermId term)
{
    if (m_lists.size() * 2 >= m_slots.size())
        grow();
    Slot &slot = m_slots[slotOf(term)];
    if (slot.list == 0) {
        m_lists.emplace_back();
        slot = {term, quint32(m_lists.size())};
    }
    return m_lists[slot.list - 1];
}

void PostingTable::add(TermId term, quint32 item)
{
    List &list = at(term);
    if (!list.postings.empty() && list.postings.back().item == item) {
        ++list.postings.back().count;
        return;
    }
    list.postings.push_back({item, 1});
    ++list.live;
}

// Called for each time the turn has the term: counted down once.
void PostingTable::removed(TermId term, quint32 item)
{
    List &list = at(term);
    const auto posting = std::ranges::lower_bound(list.postings, item, {}, &Posting::item);
    if (posting->count == 0)
        return;
    posting->count = 0;
    --list.live;
}

const PostingTable::List *PostingTable::find(TermId term) const
{
    const Slot &slot = m_slots[slotOf(term)];
    return slot.list == 0 ? nullptr : &m_lists[slot.list - 1];
}

namespace {

quint32 numberOf(QHash<QUuid, quint32> &numbers, const QUuid &id)
{
    const auto known = numbers.constFind(id);
    return known != numbers.cend() ? *known : *numbers.insert(id, quint32(numbers.size()));
}

} // namespace

// The turns of a conversation are a list in the order of their positions. They mostly come in that order, so the place
// of a new one is looked for from the end.
void Corpus::Index::link(quint32 number)
{
    Item &item = items[number];
    quint32 &last = lastOf[details[number].conversation];
    quint32 before = last;
    quint32 after = noItem;
    while (before != noItem && details[before].position > details[number].position) {
        after = before;
        before = items[before].before;
    }
    item.before = before;
    item.after = after;
    if (before != noItem)
        items[before].after = number;
    if (after != noItem)
        items[after].before = number;
    else
        last = number;
}

void Corpus::Index::append(const MemoryEntry &entry)
{
    const auto number = quint32(items.size());
    Item item;
    constexpr qint64 dayMs = 86'400'000;
    item.saidOn = qint32(entry.saidAt_ms / dayMs + QDate(1970, 1, 1).toJulianDay());
    item.length = quint16(std::min<size_t>(entry.digest.terms.size(), 65535));
    item.speaker = entry.speaker;
    item.isQuestion = entry.digest.isQuestion;
    items.push_back(item);
    Detail detail;
    detail.id = entry.id;
    detail.position = entry.position;
    detail.saidAt_ms = entry.saidAt_ms;
    detail.sameness = entry.digest.sameness;
    detail.conversation = numberOf(conversations, entry.conversation);
    detail.scope = numberOf(scopes, entry.scope);
    detail.termsAt = quint32(terms.size());
    detail.datesAt = quint32(dates.size());
    detail.dateCount = quint16(std::min<size_t>(entry.digest.dates.size(), 65535));
    details.push_back(detail);
    terms.insert(terms.end(), entry.digest.terms.begin(), entry.digest.terms.begin() + item.length);
    dates.insert(dates.end(), entry.digest.dates.begin(), entry.digest.dates.begin() + detail.dateCount);
    if (entry.vector.size() == size_t(dimension))
        matrix.insert(matrix.end(), entry.vector.begin(), entry.vector.end());
    else
        matrix.resize(items.size() * size_t(dimension));
    for (const TermId term : termsOf(number))
        postings.add(term, number);
    lastOf.resize(size_t(conversations.size()), noItem);
    link(number);
    byId.insert(entry.id, number);
    ++live;
    liveLength += item.length;
}

void Corpus::Index::setVector(quint32 item, std::span<const Half> vector)
{
    if (vector.size() == size_t(dimension))
        std::ranges::copy(vector, matrix.begin() + qsizetype(item) * dimension);
}

void Corpus::Index::remove(quint32 number)
{
    Item &item = items[number];
    if (item.before != noItem)
        items[item.before].after = item.after;
    if (item.after != noItem)
        items[item.after].before = item.before;
    else
        lastOf[details[number].conversation] = item.before;
    for (const TermId term : termsOf(number))
        postings.removed(term, number);
    byId.remove(details[number].id);
    item.gone = true;
    --live;
    liveLength -= item.length;
}

// What is removed leaves no words and no vector behind for long: once more is gone than lives, all is laid out anew.
void Corpus::Index::compactIfWorth()
{
    if (items.size() - live <= live + 256)
        return;
    Index fresh;
    fresh.dimension = dimension;
    fresh.words = words;
    QHash<quint32, QUuid> conversationIds;
    QHash<quint32, QUuid> scopeIds;
    for (auto it = conversations.cbegin(); it != conversations.cend(); ++it)
        conversationIds.insert(it.value(), it.key());
    for (auto it = scopes.cbegin(); it != scopes.cend(); ++it)
        scopeIds.insert(it.value(), it.key());
    for (quint32 i = 0; i < items.size(); ++i) {
        const Item &item = items[i];
        const Detail &detail = details[i];
        if (item.gone)
            continue;
        MemoryEntry entry{.id = detail.id,
                          .conversation = conversationIds.value(detail.conversation),
                          .scope = scopeIds.value(detail.scope),
                          .position = detail.position,
                          .speaker = item.speaker,
                          .saidAt_ms = detail.saidAt_ms,
                          .digest = {},
                          .vector = {}};
        const auto row = matrix.begin() + qsizetype(i) * dimension;
        entry.vector.assign(row, row + dimension);
        const auto itemTerms = termsOf(i);
        entry.digest.terms.assign(itemTerms.begin(), itemTerms.end());
        const auto itemDates = datesOf(i);
        entry.digest.dates.assign(itemDates.begin(), itemDates.end());
        entry.digest.sameness = detail.sameness;
        entry.digest.isQuestion = item.isQuestion;
        fresh.append(entry);
    }
    *this = std::move(fresh);
}

} // namespace companion::memory
