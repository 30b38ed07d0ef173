#pragma once

#include "memory/retrieval/Corpus.h"

#include <QHash>

namespace companion::memory {

inline constexpr quint32 noItem = 0xffffffff;

// Term id to the turns that have it: open addressing, no removal (a list may become empty).
class PostingTable
{
public:
    struct Posting
    {
        quint32 item;
        quint16 count; // 0: the turn is gone
    };
    struct List
    {
        std::vector<Posting> postings; // removed turns stay in it until the next compaction
        quint32 live = 0;
    };

    PostingTable();
    void add(TermId term, quint32 item); // items in ascending order
    void removed(TermId term, quint32 item);
    const List *find(TermId term) const;
    size_t terms() const { return m_lists.size(); }

private:
    struct Slot
    {
        TermId term;
        quint32 list; // number + 1; 0 is free
    };
    List &at(TermId term);
    size_t slotOf(TermId term) const;
    void grow();

    std::vector<Slot> m_slots;
    std::vector<List> m_lists;
};

struct Corpus::Index
{
    // What every question reads of every turn, small so that fifty thousand of them are read in a moment.
    struct Item
    {
        quint32 before = noItem; // the live turn before it in its conversation
        quint32 after = noItem;
        qint32 saidOn = 0; // Julian day, UTC
        quint16 length = 0; // in terms
        Speaker speaker = Speaker::User;
        bool isQuestion : 1 = false;
        bool gone : 1 = false;
    };
    // What is read of those that are returned.
    struct Detail
    {
        QUuid id;
        qint64 position = 0;
        qint64 saidAt_ms = 0;
        quint64 sameness = 0;
        quint32 conversation = 0;
        quint32 scope = 0;
        quint32 termsAt = 0;
        quint32 datesAt = 0;
        quint16 dateCount = 0;
    };

    int dimension = 0;
    const LocalEmbedder *words = nullptr;
    std::vector<Item> items;
    std::vector<Detail> details; // of the same numbers
    Terms terms; // of all items, one after another
    std::vector<DateSpan> dates;
    std::vector<Half> matrix; // a row an item; zeros where it has no vector
    PostingTable postings;
    QHash<QUuid, quint32> byId;
    QHash<QUuid, quint32> conversations;
    std::vector<quint32> lastOf; // conversation to its last live turn
    QHash<QUuid, quint32> scopes;
    quint32 live = 0;
    quint64 liveLength = 0;

    void append(const MemoryEntry &entry);
    void remove(quint32 item);
    void setVector(quint32 item, std::span<const Half> vector);
    void link(quint32 item);
    void compactIfWorth();
    std::span<const TermId> termsOf(quint32 i) const { return {terms.data() + details[i].termsAt, items[i].length}; }
    std::span<const DateSpan> datesOf(quint32 i) const
    {
        return {dates.data() + details[i].datesAt, details[i].dateCount};
    }
};

} // namespace companion::memory
