#include "console/client/UsersApi.h"

#include "common/describe/EnumText.h"

namespace companion::console {

namespace {

QString userPath(const UserId &id, const QString &below = QString())
{
    return QStringLiteral("/admin/users/") + id.toString() + below;
}

// QUrlQuery leaves a plus as it is, and servers read it as a blank: "anna+test@example.com" needs it escaped.
QString queryText(const QString &text)
{
    return QString::fromLatin1(QUrl::toPercentEncoding(text));
}

} // namespace

ApiCall<Page<AdminUser>> UsersApi::search(const UserSearch &search, int limit, qint64 offset)
{
    QUrlQuery query;
    if (!search.text.isEmpty())
        query.addQueryItem(QStringLiteral("q"), queryText(search.text));
    if (search.tier)
        query.addQueryItem(QStringLiteral("tier"), toText(*search.tier));
    if (search.status)
        query.addQueryItem(QStringLiteral("status"), toText(*search.status));
    query.addQueryItem(QStringLiteral("limit"), QString::number(limit));
    query.addQueryItem(QStringLiteral("offset"), QString::number(offset));
    return m_client.call<Page<AdminUser>>({.path = QStringLiteral("/admin/users"), .query = query});
}

ApiCall<AdminUser> UsersApi::one(const UserId &id)
{
    return m_client.call<AdminUser>({.path = userPath(id)});
}

ApiCall<Balance> UsersApi::wallet(const UserId &id)
{
    return m_client.call<Balance>({.path = userPath(id, QStringLiteral("/wallet"))});
}

ApiCall<Page<Transaction>> UsersApi::transactions(const UserId &id, int limit, const std::optional<QString> &cursor)
{
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("limit"), QString::number(limit));
    if (cursor)
        query.addQueryItem(QStringLiteral("cursor"), queryText(*cursor));
    return m_client.call<Page<Transaction>>({.path = userPath(id, QStringLiteral("/transactions")), .query = query});
}

ApiCall<Transaction> UsersApi::adjust(const UserId &id, const AdjustmentRequest &adjustment,
                                      const QByteArray &idempotencyKey)
{
    return m_client.call<Transaction>({.method = "POST",
                                       .path = userPath(id, QStringLiteral("/adjustments")),
                                       .body = toJson(adjustment),
                                       .idempotencyKey = idempotencyKey});
}

ApiCall<AdminUser> UsersApi::changeTier(const UserId &id, const TierChange &change)
{
    return m_client.call<AdminUser>(
        {.method = "POST", .path = userPath(id, QStringLiteral("/tier")), .body = toJson(change)});
}

ApiCall<AdminUser> UsersApi::suspend(const UserId &id, const QString &reason)
{
    return m_client.call<AdminUser>(
        {.method = "POST", .path = userPath(id, QStringLiteral("/suspend")), .body = toJson(Reason{reason})});
}

ApiCall<AdminUser> UsersApi::restore(const UserId &id, const QString &reason)
{
    return m_client.call<AdminUser>(
        {.method = "POST", .path = userPath(id, QStringLiteral("/restore")), .body = toJson(Reason{reason})});
}

} // namespace companion::console
