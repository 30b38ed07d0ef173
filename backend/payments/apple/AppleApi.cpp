#include "payments/apple/AppleApi.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QUrlQuery>
#include <QUuid>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

Refusal notAsDocumented(const QString &path)
{
    return {.code = ErrorCode::ProviderFailed,
            .detail = u"The App Store gave an answer that cannot be read."_s,
            .log = u"App Store %1: not as documented"_s.arg(path)};
}

// 4040010 and its kin: no such transaction, or none of this app.
Refusal refusalOf(const HttpAnswer &answer, const QString &path)
{
    const QJsonObject said = QJsonDocument::fromJson(answer.body).object();
    const QString log =
        u"App Store %1: status %2, error %3"_s.arg(path).arg(answer.status).arg(said.value("errorCode"_L1).toInteger());
    if (answer.status == 404 || answer.status == 400)
        return {.code = ErrorCode::Invalid, .detail = u"The App Store does not know this purchase."_s, .log = log};
    return {.code = ErrorCode::ProviderFailed, .detail = u"The App Store does not answer as it should."_s, .log = log};
}

} // namespace

// A list that comes in pages: what has come of it, and how to ask for the rest.
struct AppleApi::Pages
{
    HttpCall call;
    QLatin1StringView list; // the member that holds a page
    QLatin1StringView item; // of each the member that holds the JWS; empty: it is the JWS
    QLatin1StringView cursor; // the answer's member that names the next page, and the query's likewise
    Then<QList<QByteArray>> then;
    QList<QByteArray> found = {};
    QString at = {};
    int count = 0;
};

AppleApi::AppleApi(const Clock &clock, Options options, jose::JwsKey key, QObject *parent)
    : QObject(parent)
    , m_clock(clock)
    , m_options(std::move(options))
    , m_key(std::move(key))
    , m_http(m_options.http)
{
}

QByteArray AppleApi::bearer()
{
    const QDateTime now = m_clock.now();
    if (!m_token.isEmpty() && now.addSecs(tokenSpare_s) < m_tokenUntil && m_tokenUntil < now.addSecs(tokenLife_s + 1))
        return m_token;
    m_tokenUntil = now.addSecs(tokenLife_s);
    const QJsonObject claims{{u"iss"_s, m_options.issuerId},
                             {u"iat"_s, now.toSecsSinceEpoch()},
                             {u"exp"_s, m_tokenUntil.toSecsSinceEpoch()},
                             {u"aud"_s, u"appstoreconnect-v1"_s},
                             {u"bid"_s, m_options.bundleId}};
    m_token = m_key.sign(m_options.keyId.toLatin1(), QJsonDocument(claims).toJson(QJsonDocument::Compact));
    return m_token;
}

HttpCall AppleApi::get(const QString &path, const QString &query) const
{
    QUrl url = m_options.base;
    url.setPath(url.path() + path);
    url.setQuery(query);
    return {.url = url};
}

void AppleApi::ask(const HttpCall &call, const Then<QJsonObject> &then)
{
    HttpCall signedCall = call;
    signedCall.headers = {{"Authorization", "Bearer " + bearer()}, {"Accept", "application/json"}};
    m_http.send(signedCall, [then, path = call.url.path()](const Result<HttpAnswer> &answer) {
        if (!answer)
            return then(std::unexpected(answer.error()));
        if (answer->status < 200 || answer->status > 299)
            return then(std::unexpected(refusalOf(*answer, path)));
        if (answer->body.isEmpty())
            return then(QJsonObject());
        const auto document = QJsonDocument::fromJson(answer->body);
        document.isObject() ? then(document.object()) : then(std::unexpected(notAsDocumented(path)));
    });
}

void AppleApi::transaction(const QString &id, const Then<QByteArray> &then)
{
    const HttpCall call = get(u"/inApps/v1/transactions/"_s + id);
    ask(call, [then, path = call.url.path()](const Result<QJsonObject> &answer) {
        if (!answer)
            return then(std::unexpected(answer.error()));
        const QByteArray jws = answer->value("signedTransactionInfo"_L1).toString().toLatin1();
        jws.isEmpty() ? then(std::unexpected(notAsDocumented(path))) : then(jws);
    });
}

void AppleApi::statuses(const QString &id, const Then<QList<Status>> &then)
{
    ask(get(u"/inApps/v1/subscriptions/"_s + id), [then](const Result<QJsonObject> &answer) {
        if (!answer)
            return then(std::unexpected(answer.error()));
        QList<Status> found;
        for (const QJsonValue &group : answer->value("data"_L1).toArray())
            for (const QJsonValue &last : group["lastTransactions"_L1].toArray())
                found.append({last["signedTransactionInfo"_L1].toString().toLatin1(),
                              last["signedRenewalInfo"_L1].toString().toLatin1()});
        then(found);
    });
}

void AppleApi::history(const QString &id, const QString &query, const Then<QList<QByteArray>> &then)
{
    const QString all = query.isEmpty() ? u"sort=ASCENDING"_s : QString(u"sort=ASCENDING&"_s + query);
    nextPage(std::make_shared<Pages>(Pages{.call = get(u"/inApps/v2/history/"_s + id, all),
                                           .list = "signedTransactions"_L1,
                                           .item = {},
                                           .cursor = "revision"_L1,
                                           .then = then}));
}

void AppleApi::refunds(const QString &id, const Then<QList<QByteArray>> &then)
{
    nextPage(std::make_shared<Pages>(Pages{.call = get(u"/inApps/v2/refund/lookup/"_s + id),
                                           .list = "signedTransactions"_L1,
                                           .item = {},
                                           .cursor = "revision"_L1,
                                           .then = then}));
}

void AppleApi::notifications(const QDateTime &from, const QDateTime &to, const Then<QList<QByteArray>> &then)
{
    HttpCall call = get(u"/inApps/v1/notifications/history"_s);
    call.method = "POST";
    call.body =
        QJsonDocument(QJsonObject{{u"startDate"_s, from.toMSecsSinceEpoch()}, {u"endDate"_s, to.toMSecsSinceEpoch()}})
            .toJson(QJsonDocument::Compact);
    call.contentType = "application/json";
    call.repeatable = true; // a question
    nextPage(std::make_shared<Pages>(Pages{.call = call,
                                           .list = "notificationHistory"_L1,
                                           .item = "signedPayload"_L1,
                                           .cursor = "paginationToken"_L1,
                                           .then = then}));
}

void AppleApi::nextPage(const std::shared_ptr<Pages> &pages)
{
    HttpCall call = pages->call;
    if (!pages->at.isEmpty()) {
        QUrlQuery query(call.url);
        query.addQueryItem(pages->cursor, QString::fromLatin1(QUrl::toPercentEncoding(pages->at)));
        call.url.setQuery(query);
    }
    ask(call, [this, pages](const Result<QJsonObject> &answer) {
        answer ? takePage(pages, *answer) : pages->then(std::unexpected(answer.error()));
    });
}

void AppleApi::takePage(const std::shared_ptr<Pages> &pages, const QJsonObject &answer)
{
    for (const QJsonValue &value : answer.value(pages->list).toArray())
        pages->found.append((pages->item.isEmpty() ? value : value[pages->item]).toString().toLatin1());
    if (!answer.value("hasMore"_L1).toBool())
        return pages->then(pages->found);
    const QString next = answer.value(pages->cursor).toString();
    if (next.isEmpty() || next == pages->at || ++pages->count >= mostPages)
        return pages->then(std::unexpected(notAsDocumented(pages->call.url.path())));
    pages->at = next;
    nextPage(pages);
}

void AppleApi::sendConsumption(const QString &transaction, const QJsonObject &said, const Then<bool> &then)
{
    HttpCall call = get(u"/inApps/v2/transactions/consumption/"_s + transaction);
    call.method = "PUT";
    call.body = QJsonDocument(said).toJson(QJsonDocument::Compact);
    call.contentType = "application/json";
    call.repeatable = true; // the same said twice is one
    ask(call,
        [then](const Result<QJsonObject> &answer) { answer ? then(true) : then(std::unexpected(answer.error())); });
}

} // namespace companion::payments
