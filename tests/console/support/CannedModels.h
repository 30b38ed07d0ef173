#pragma once

#include "common/models/Admin.h"
#include "common/models/Character.h"
#include "common/models/Page.h"
#include "tests/console/support/CannedServer.h"

namespace companion::console {

// The objects a server would answer with, made from the shared models themselves.
namespace canned {

inline const QDateTime now(QDate(2026, 11, 22), QTime(12, 0), Qt::UTC);

TokenGrant grant(const QString &accessToken = QStringLiteral("access-1"));
AdminUser user(int number);
AdminCharacter character(const QString &slug, bool spicy = true);
CharacterVersion version(int number);
Transaction transaction(int number);
Balance balance();
StatsSummary stats();
PersonaTestResult testResult();

template <class T>
CannedReply page(const QList<T> &items, bool more = false, const QString &cursor = {})
{
    Page<T> page{.items = items, .total = {}, .limit = 50, .offset = {}, .hasMore = more, .nextCursor = {}};
    page.total = items.size();
    if (!cursor.isEmpty())
        page.nextCursor = cursor;
    return CannedReply::json(toJson(page));
}

// A whole small server: one operator, three users, two characters, figures.
void serveEverything(CannedServer &server);

} // namespace canned

} // namespace companion::console
