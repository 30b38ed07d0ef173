#include "console/models/UsersModel.h"

#include "console/models/Format.h"
#include "console/models/Words.h"

namespace companion::console {

namespace {

constexpr int usersPerPage = 50;

QVariant emailCell(const AdminUser &user, int role)
{
    return role == KeyRole ? QVariant(user.id.toString()) : cells::text(user.email, role);
}

} // namespace

UsersModel::UsersModel(UsersApi &api, QObject *parent)
    : RowsModel({{{words::title(&AdminUser::email)}, emailCell},
                 {{words::title(&AdminUser::displayName)},
                  [](const AdminUser &u, int role) { return cells::text(u.displayName, role); }},
                 {{words::title(&AdminUser::tier)},
                  [](const AdminUser &u, int role) { return cells::text(words::tier(u.tier), role); }},
                 {{words::title(&AdminUser::status)},
                  [](const AdminUser &u, int role) {
                      return cells::state(words::userStatus(u.status), words::tone(u.status), role);
                  }},
                 {{words::title(&AdminUser::balance), Align::Right},
                  [](const AdminUser &u, int role) { return cells::text(format::credits(u.balance), role); }},
                 {{words::title(&AdminUser::lastSeenAt), Align::Right},
                  [](const AdminUser &u, int role) {
                      return u.lastSeenAt ? cells::time(*u.lastSeenAt, role) : cells::quiet(tr("never"), role);
                  }},
                 {{words::title(&AdminUser::createdAt), Align::Right},
                  [](const AdminUser &u, int role) { return cells::time(u.createdAt, role); }}},
                parent)
    , m_api(api)
{
}

void UsersModel::search(const UserSearch &search)
{
    m_call.abort();
    m_search = search;
    m_more = false;
    Q_EMIT loading();
    m_call = m_api.search(search, usersPerPage, 0);
    m_call.then(this, [this](const ApiResult<Page<AdminUser>> &page) { take(page, true); });
}

bool UsersModel::canFetchMore(const QModelIndex &parent) const
{
    return !parent.isValid() && m_more && !m_call.isRunning();
}

void UsersModel::fetchMore(const QModelIndex &parent)
{
    if (!canFetchMore(parent))
        return;
    m_call = m_api.search(m_search, usersPerPage, rowCount());
    m_call.then(this, [this](const ApiResult<Page<AdminUser>> &page) { take(page, false); });
}

void UsersModel::take(const ApiResult<Page<AdminUser>> &page, bool first)
{
    if (!page) {
        if (page.error().kind != Problem::Kind::Cancelled)
            Q_EMIT failed(page.error());
        return;
    }
    m_more = page->hasMore;
    m_total = page->total.value_or(rowCount() + page->items.size());
    if (first)
        setRows(page->items);
    else
        appendRows(page->items);
    Q_EMIT loaded();
}

} // namespace companion::console
