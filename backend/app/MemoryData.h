#pragma once

#include "identity/PersonalData.h"
#include "memory/MemoryService.h"

namespace companion::app {

// What is remembered of a person, facts among it: handed out with everything else, and gone from every store with it.
class MemoryData final : public identity::PersonalData
{
public:
    // The service outlives it.
    explicit MemoryData(const memory::MemoryService &memory)
        : m_memory(memory)
    {
    }

    QByteArray name() const override { return "memories"; }
    void exportTo(const Write &write, db::Session &db, const UserId &user) const override;
    // Stores elsewhere follow by an order in the queue, and confirm on the receipt (docs/memory.md).
    qint64 erase(db::Session &db, const UserId &user) const override;

private:
    const memory::MemoryService &m_memory;
};

// What was forgotten and when, without what it was: the proof of it.
class MemoryReceiptData final : public identity::PersonalData
{
public:
    explicit MemoryReceiptData(const memory::MemoryService &memory)
        : m_memory(memory)
    {
    }

    QByteArray name() const override { return "memory_receipts"; }
    void exportTo(const Write &write, db::Session &db, const UserId &user) const override;
    qint64 erase(db::Session &, const UserId &) const override { return 0; }
    QString kept() const override;

private:
    const memory::MemoryService &m_memory;
};

} // namespace companion::app
