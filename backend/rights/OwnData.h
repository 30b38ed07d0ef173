#pragma once

#include "identity/PersonalData.h"

#include <vector>

namespace companion::rights {

// Personal data whose export and erasure are one named statement each. The export's takes :user_id, :at and :key (of
// the last row before, NULL at first) and :limit, and answers rows of line (JSON text), at and key (text) in the order
// of (at, key); the erasure's takes :user_id and :now and touches what it erases.
struct TableData
{
    const char *name;
    const char *exported; // nullptr: nothing to hand out
    const char *erased; // nullptr: all of it is kept
    const char *kept; // why
};

class TablePersonalData final : public identity::PersonalData
{
public:
    explicit TablePersonalData(const TableData &data)
        : m_data(data)
    {
    }
    QByteArray name() const override { return m_data.name; }
    void exportTo(const Write &write, db::Session &db, const UserId &user) const override;
    qint64 erase(db::Session &db, const UserId &user) const override;
    QString kept() const override { return QString::fromUtf8(m_data.kept); }

private:
    TableData m_data;
};

using PersonalDataList = std::vector<std::unique_ptr<identity::PersonalData>>;

// What the tables of identity, chat, moderation, billing, payments and the ledger keep, in the order in which it is
// erased.
PersonalDataList ownPersonalData();

} // namespace companion::rights
