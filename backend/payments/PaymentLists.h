#pragma once

#include "common/models/Page.h"
#include "common/models/PaymentStory.h"
#include "db/Session.h"

namespace companion::payments {

// Rows of the lists' statements as operators see them.
AdminPayment adminPaymentIn(const db::Row &row);
AdminSubscription adminSubscriptionIn(const db::Row &row);
AdminDispute adminDisputeIn(const db::Row &row);
AdminWebhook adminWebhookIn(const db::Row &row);
Debt debtIn(const db::Row &row);

// Where in a list, newest first, a page begins: after a row's time (microseconds) and id; at the top without.
struct ListPlace
{
    std::optional<qint64> before_us = {};
    std::optional<QString> beforeId = {};

    // invalid: a cursor that is not one of ours.
    static Result<ListPlace> of(const PageRequest &request);
};

// The page that `rows` are, one more of which was asked for than it holds; they tell their place as place_us and id.
// By cursor there is no total; without one it is counted.
template <class T, class Count>
Page<T> listPage(const PageRequest &request, const db::Rows &rows, T (*read)(const db::Row &), const Count &count)
{
    Page<T> page;
    page.limit = request.limit;
    page.hasMore = rows.size() > request.limit;
    for (const auto &row : rows.first(std::min<qsizetype>(rows.size(), request.limit)))
        page.items.append(read(row));
    if (page.hasMore) {
        const auto &last = rows[request.limit - 1];
        page.nextCursor = last.text("place_us") + u'.' + last.text("id");
    }
    if (!request.cursor) {
        page.offset = request.offset;
        page.total = count();
    }
    return page;
}

// What an operator typed to find somebody's money: an id of the thing or of its user, a provider's reference, or a
// part of an email or name, which stands for at most 200 users.
struct ListSearch
{
    std::optional<QString> text = {};
    std::optional<QString> id = {};
    std::optional<QStringList> users = {};

    static ListSearch of(db::Session &db, const std::optional<QString> &typed);
};

} // namespace companion::payments
