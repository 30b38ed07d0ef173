#include "payments/google/GoogleApi.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QUrlQuery>

#include <algorithm>
#include <utility>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr int assertionLife_s = 3600;
constexpr int tokenSpare_s = 60;

QString encoded(const QString &segment)
{
    return QString::fromLatin1(QUrl::toPercentEncoding(segment));
}

QString reasonIn(const HttpAnswer &answer)
{
    const QJsonValue error = QJsonDocument::fromJson(answer.body).object().value("error"_L1);
    const QString reason = error["errors"_L1].toArray().at(0)["reason"_L1].toString();
    return (reason.isEmpty() ? error["status"_L1].toString(error.toString()) : reason).left(80);
}

Refusal googleFailed(const QString &log)
{
    return {.code = ErrorCode::ProviderFailed, .detail = u"Google Play does not answer as it should."_s, .log = log};
}

Refusal googleRefusal(const HttpAnswer &answer, const QString &path)
{
    const QString log =
        u"Google %1: status %2, %3"_s.arg(path.section(u'/', 0, 6)).arg(answer.status).arg(reasonIn(answer));
    if (answer.status == 404 || answer.status == 410 || answer.status == 400)
        return {.code = ErrorCode::NotFound, .detail = u"Google Play does not know this purchase."_s, .log = log};
    return googleFailed(log);
}

} // namespace

std::expected<GoogleAccount, QString> GoogleAccount::read(const QByteArray &json)
{
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    const QUrl tokenUrl(object.value("token_uri"_L1).toString(u"https://oauth2.googleapis.com/token"_s),
                        QUrl::StrictMode);
    auto key = jose::JwsKey::fromPrivateKey(object.value("private_key"_L1).toString().toLatin1());
    const QString email = object.value("client_email"_L1).toString();
    if (object.value("type"_L1) != "service_account"_L1 || email.isEmpty())
        return std::unexpected(u"must be a service account's key file (JSON)"_s);
    if (!key || key->algorithm() != jose::JwsKey::Algorithm::RS256)
        return std::unexpected(u"holds no RSA private key"_s);
    if (!tokenUrl.isValid() || (tokenUrl.scheme() != "https"_L1 && tokenUrl.scheme() != "http"_L1))
        return std::unexpected(u"names no token_uri"_s);
    return GoogleAccount{email, object.value("private_key_id"_L1).toString(), tokenUrl, *key};
}

GoogleApi::GoogleApi(const Clock &clock, Options options, GoogleAccount account, QObject *parent)
    : QObject(parent)
    , m_clock(clock)
    , m_options(std::move(options))
    , m_account(std::move(account))
    , m_http(m_options.http)
{
}

// At once where there is a good token; all who come while one is fetched wait for that one.
void GoogleApi::withToken(const Call &call)
{
    if (!m_token.isEmpty() && m_clock.now() < m_tokenUntil)
        return call(m_token);
    m_waiting.push_back(call);
    if (m_waiting.size() == 1)
        fetchToken();
}

void GoogleApi::fetchToken()
{
    const QDateTime now = m_clock.now();
    const QJsonObject claims{{u"iss"_s, m_account.email},
                             {u"scope"_s, u"https://www.googleapis.com/auth/androidpublisher"_s},
                             {u"aud"_s, m_account.tokenUrl.toString()},
                             {u"iat"_s, now.toSecsSinceEpoch()},
                             {u"exp"_s, now.toSecsSinceEpoch() + assertionLife_s}};
    const QByteArray assertion =
        m_account.key.sign(m_account.keyId.toLatin1(), QJsonDocument(claims).toJson(QJsonDocument::Compact));
    m_http.send({.method = "POST",
                 .url = m_account.tokenUrl,
                 .body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion,
                 .contentType = "application/x-www-form-urlencoded",
                 .repeatable = true},
                [this, now](const Result<HttpAnswer> &answer) {
                    const QJsonObject said = answer ? QJsonDocument::fromJson(answer->body).object() : QJsonObject();
                    m_token = said.value("access_token"_L1).toString().toLatin1();
                    const qint64 life_s = said.value("expires_in"_L1).toInteger(assertionLife_s);
                    m_tokenUntil = now.addSecs(std::clamp<qint64>(life_s - tokenSpare_s, 0, 86'400));
                    Result<QByteArray> token = m_token;
                    if (!answer)
                        token = std::unexpected(answer.error());
                    else if (answer->status != 200 || m_token.isEmpty())
                        token = std::unexpected(
                            googleFailed(u"Google token: status %1, %2"_s.arg(answer->status).arg(reasonIn(*answer))));
                    if (!token)
                        m_token.clear();
                    for (const Call &call : std::exchange(m_waiting, {}))
                        call(token);
                });
}

// A token that is refused may have been withdrawn: once more with a fresh one.
void GoogleApi::ask(const HttpCall &call, bool isFirst, const Then<QJsonObject> &then)
{
    withToken([=, this](const Result<QByteArray> &token) {
        if (!token)
            return then(std::unexpected(token.error()));
        HttpCall authorized = call;
        authorized.headers = {{"Authorization", "Bearer " + *token}, {"Accept", "application/json"}};
        m_http.send(authorized, [=, this, used = *token](const Result<HttpAnswer> &answer) {
            if (!answer)
                return then(std::unexpected(answer.error()));
            if (answer->status == 401 && isFirst) {
                if (m_token == used)
                    m_token.clear();
                return ask(call, false, then);
            }
            if (answer->status < 200 || answer->status > 299)
                return then(std::unexpected(googleRefusal(*answer, call.url.path())));
            if (answer->body.trimmed().isEmpty())
                return then(QJsonObject());
            const auto document = QJsonDocument::fromJson(answer->body);
            document.isObject() ? then(document.object())
                                : then(std::unexpected(googleFailed(u"Google: an answer that is no JSON"_s)));
        });
    });
}

HttpCall GoogleApi::callFor(const QByteArray &method, const QString &path, const QString &query) const
{
    const QString text = m_options.base.toString(QUrl::FullyEncoded) + u"/androidpublisher/v3/applications/"_s
        + encoded(m_options.packageName) + u'/' + path + (query.isEmpty() ? QString() : QString(u'?' + query));
    HttpCall call{.method = method, .url = QUrl::fromEncoded(text.toLatin1(), QUrl::StrictMode)};
    if (method == "POST") {
        call.body = "{}";
        call.contentType = "application/json";
        call.repeatable = true; // each of them done twice is done once
    }
    return call;
}

void GoogleApi::subscription(const QString &token, const Then<QJsonObject> &then)
{
    ask(callFor("GET", u"purchases/subscriptionsv2/tokens/"_s + encoded(token)), true, then);
}

void GoogleApi::product(const QString &productId, const QString &token, const Then<QJsonObject> &then)
{
    ask(callFor("GET", u"purchases/products/%1/tokens/%2"_s.arg(encoded(productId), encoded(token))), true, then);
}

void GoogleApi::order(const QString &id, const Then<QJsonObject> &then)
{
    ask(callFor("GET", u"orders/"_s + encoded(id)), true, then);
}

struct GoogleApi::VoidedPages
{
    QString query;
    Then<QList<Voided>> then;
    QList<Voided> found = {};
    QString at = {};
    int count = 0;
};

void GoogleApi::voided(const QDateTime &from, const QDateTime &to, const Then<QList<Voided>> &then)
{
    const QString query = u"startTime=%1&endTime=%2&type=1&includeQuantityBasedPartialRefund=true&maxResults=1000"_s
                              .arg(from.toMSecsSinceEpoch())
                              .arg(to.toMSecsSinceEpoch());
    nextVoided(std::make_shared<VoidedPages>(VoidedPages{query, then}));
}

void GoogleApi::nextVoided(const std::shared_ptr<VoidedPages> &pages)
{
    const QString query =
        pages->at.isEmpty() ? pages->query : QString(pages->query + u"&token="_s + encoded(pages->at));
    ask(callFor("GET", u"purchases/voidedpurchases"_s, query), true, [=, this](const Result<QJsonObject> &answer) {
        if (!answer)
            return pages->then(std::unexpected(answer.error()));
        for (const QJsonValue &one : answer->value("voidedPurchases"_L1).toArray())
            pages->found.append({one["purchaseToken"_L1].toString(), one["orderId"_L1].toString()});
        const QString next = answer->value("tokenPagination"_L1)["nextPageToken"_L1].toString();
        if (next.isEmpty())
            return pages->then(pages->found);
        if (next == pages->at || ++pages->count >= mostPages)
            return pages->then(std::unexpected(googleFailed(u"Google: a list without end"_s)));
        pages->at = next;
        nextVoided(pages);
    });
}

void GoogleApi::tell(const QString &path, const Then<bool> &then)
{
    ask(callFor("POST", path.section(u'?', 0, 0), path.section(u'?', 1)), true,
        [then](const Result<QJsonObject> &answer) { answer ? then(true) : then(std::unexpected(answer.error())); });
}

void GoogleApi::acknowledge(const QString &subscription, const QString &token, const Then<bool> &then)
{
    tell(u"purchases/subscriptions/%1/tokens/%2:acknowledge"_s.arg(encoded(subscription), encoded(token)), then);
}

void GoogleApi::consume(const QString &productId, const QString &token, const Then<bool> &then)
{
    tell(u"purchases/products/%1/tokens/%2:consume"_s.arg(encoded(productId), encoded(token)), then);
}

void GoogleApi::cancel(const QString &subscription, const QString &token, const Then<bool> &then)
{
    tell(u"purchases/subscriptions/%1/tokens/%2:cancel"_s.arg(encoded(subscription), encoded(token)), then);
}

void GoogleApi::refund(const QString &order, const Then<bool> &then)
{
    tell(u"orders/%1:refund?revoke=true"_s.arg(encoded(order)), then);
}

} // namespace companion::payments
