#pragma once

#include "console/client/UsersApi.h"
#include "console/models/TableModel.h"

namespace companion::console {

// The users found by a search. The answer to an older search never replaces a newer one's.
class UsersModel : public RowsModel<AdminUser>
{
    Q_OBJECT
public:
    enum Column { Email, Name, Tier, Status, Balance, LastSeen, Joined };

    explicit UsersModel(UsersApi &api, QObject *parent = nullptr);

    void search(const UserSearch &search);
    void reload() { search(m_search); }
    const UserSearch &lastSearch() const { return m_search; }
    qint64 total() const { return m_total; }

    bool canFetchMore(const QModelIndex &parent) const override;
    void fetchMore(const QModelIndex &parent) override;

Q_SIGNALS:
    void loading();
    void loaded();
    void failed(const companion::console::Problem &problem);

private:
    void take(const ApiResult<Page<AdminUser>> &page, bool first);

    UsersApi &m_api;
    UserSearch m_search;
    ApiCall<Page<AdminUser>> m_call;
    qint64 m_total = 0;
    bool m_more = false;
};

} // namespace companion::console
