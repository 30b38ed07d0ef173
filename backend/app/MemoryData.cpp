#include "app/MemoryData.h"

#include <QJsonDocument>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

constexpr int atATime = 100;

template <class Read>
void writeAll(const identity::PersonalData::Write &write, const Read &read)
{
    PageRequest page{.limit = atATime, .offset = 0};
    for (bool more = true; more; page.offset += atATime) {
        const auto list = read(page);
        for (const auto &item : list.items)
            write(QJsonDocument(toJson(item)).toJson(QJsonDocument::Compact));
        more = list.hasMore;
    }
}

} // namespace

void MemoryData::exportTo(const Write &write, db::Session &db, const UserId &user) const
{
    writeAll(write, [&](const PageRequest &page) { return m_memory.list(db, user, std::nullopt, page); });
}

qint64 MemoryData::erase(db::Session &db, const UserId &user) const
{
    const auto receipt = m_memory.eraseFor(db, user);
    return qint64(receipt.memories) + receipt.facts;
}

void MemoryReceiptData::exportTo(const Write &write, db::Session &db, const UserId &user) const
{
    writeAll(write, [&](const PageRequest &page) { return m_memory.store().receipts(db, user, page); });
}

QString MemoryReceiptData::kept() const
{
    return u"When how much was forgotten, without what it was, as the proof of it."_s;
}

} // namespace companion::app
