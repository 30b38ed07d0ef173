#pragma once

#include "common/Result.h"
#include "rights/OwnData.h"
#include "rights/ZipFile.h"

namespace companion::rights {

// All that is kept of one user in one zip: a JSON array for each kind of personal data, and about.json. It grows in a
// file without a name, some hundreds of rows at a time, so that neither its size nor the reader's pace costs memory or
// holds a worker. Bulk lane. Stateless but for the list.
class ExportService
{
public:
    explicit ExportService(const PersonalDataList &data)
        : m_data(data)
    {
    }
    // conflict: one is being made for this user already.
    Result<std::shared_ptr<SpoolFile>> make(db::Session &db, const UserId &user) const;

private:
    const PersonalDataList &m_data; // outlives this; read when asked, so that rooms may still join
};

} // namespace companion::rights
