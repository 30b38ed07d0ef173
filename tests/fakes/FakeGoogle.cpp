#include "fakes/FakeGoogle.h"

#include <QJsonDocument>
#include <QRegularExpression>
#include <QUrl>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

constexpr auto googleBase64 = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

QByteArray googleJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QByteArray memoryOf(BIO *bio)
{
    char *data = nullptr;
    const auto length = BIO_get_mem_data(bio, &data);
    const QByteArray text(data, length);
    BIO_free(bio);
    return text;
}

QByteArray googleCertificate(EVP_PKEY *pair)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_TIME_set(X509_getm_notBefore(certificate), 1'735'689'600); // 2025
    ASN1_TIME_set(X509_getm_notAfter(certificate), 2'051'222'400);  // 2035
    X509_set_pubkey(certificate, pair);
    X509_sign(certificate, pair, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    X509_free(certificate);
    return memoryOf(bio);
}

QByteArray privatePem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return memoryOf(bio);
}

QJsonObject moneyOf(qint64 minor)
{
    return {{u"currencyCode"_s, u"USD"_s},
            {u"units"_s, QString::number(minor / 100)},
            {u"nanos"_s, (minor % 100) * 10'000'000}};
}

std::shared_ptr<EVP_PKEY> keyOf(const QByteArray &name)
{
    static QHash<QByteArray, std::shared_ptr<EVP_PKEY>> keys;
    auto &key = keys[name];
    if (!key)
        key.reset(EVP_RSA_gen(2048), EVP_PKEY_free);
    return key;
}

const FakeWire::Answer unknownPurchase{
    404, R"({"error":{"code":404,"message":"not found","errors":[{"reason":"purchaseTokenNotFound"}]}})"};

} // namespace

FakeGoogle::FakeGoogle(std::function<QDateTime()> now, const QByteArray &keys, QObject *parent)
    : QObject(parent)
    , m_now(std::move(now))
    , m_pushKey(keyOf("push " + keys))
    , m_accountKey(keyOf("account " + keys))
    , m_certificate(googleCertificate(m_pushKey.get()))
    , m_wire([this](const FakeWire::Request &request) { return answer(request); })
{
}

QByteArray FakeGoogle::serviceAccountJson() const
{
    return googleJson({{u"type"_s, u"service_account"_s},
                       {u"project_id"_s, u"demo"_s},
                       {u"private_key_id"_s, u"account-key"_s},
                       {u"private_key"_s, QString::fromLatin1(privatePem(m_accountKey.get()))},
                       {u"client_email"_s, account},
                       {u"token_uri"_s, url().resolved(QUrl(u"/token"_s)).toString()}});
}

QByteArray FakeGoogle::publicKeyPem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, m_pushKey.get());
    return memoryOf(bio);
}

QJsonObject FakeGoogle::claims() const
{
    const qint64 now_s = m_now().toSecsSinceEpoch();
    return {{u"iss"_s, u"https://accounts.google.com"_s},
            {u"aud"_s, audience},
            {u"email"_s, pusher},
            {u"email_verified"_s, true},
            {u"sub"_s, u"113774264463038321964"_s},
            {u"azp"_s, u"113774264463038321964"_s},
            {u"iat"_s, now_s - 5},
            {u"exp"_s, now_s + 3595}};
}

QByteArray FakeGoogle::authorization(const QJsonObject &claims) const
{
    const auto key = jose::JwsKey::fromPrivateKey(privatePem(m_pushKey.get()));
    return "Bearer " + key->sign("push-key", googleJson(claims));
}

QByteArray FakeGoogle::segments(const QByteArray &header, const QByteArray &payload)
{
    return header.toBase64(googleBase64) + '.' + payload.toBase64(googleBase64);
}

QByteArray FakeGoogle::bearer(const QByteArray &header, const QByteArray &payload) const
{
    const QByteArray input = segments(header, payload);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, m_pushKey.get());
    QByteArray signature(256, '\0');
    size_t length = 256;
    EVP_DigestSign(context, reinterpret_cast<unsigned char *>(signature.data()), &length,
                   reinterpret_cast<const unsigned char *>(input.constData()), static_cast<size_t>(input.size()));
    EVP_MD_CTX_free(context);
    return "Bearer " + input + '.' + signature.toBase64(googleBase64);
}

QByteArray FakeGoogle::push(const QJsonObject &change)
{
    QJsonObject data = change;
    data.insert(u"version"_s, u"1.0"_s);
    data.insert(u"packageName"_s, packageName);
    data.insert(u"eventTimeMillis"_s, QString::number(m_now().toMSecsSinceEpoch()));
    const QJsonObject message{{u"data"_s, QString::fromLatin1(googleJson(data).toBase64())},
                              {u"messageId"_s, QString::number(++m_number)},
                              {u"publishTime"_s, stamp(m_now())}};
    return googleJson({{u"message"_s, message}, {u"subscription"_s, u"projects/demo/subscriptions/rtdn"_s}});
}

QByteArray FakeGoogle::pushSubscription(int type, const QString &token)
{
    return push({{u"subscriptionNotification"_s,
                  QJsonObject{{u"version"_s, u"1.0"_s}, {u"notificationType"_s, type}, {u"purchaseToken"_s, token}}}});
}

QString FakeGoogle::addOrder(const QString &id, const QString &token, const QString &product, qint64 minor)
{
    const qint64 tax = minor / 10;
    m_lastOrder = id;
    m_orders.insert(id,
                    {{u"orderId"_s, id},
                     {u"purchaseToken"_s, token},
                     {u"state"_s, u"PROCESSED"_s},
                     {u"createTime"_s, stamp(m_now())},
                     {u"total"_s, moneyOf(minor)},
                     {u"tax"_s, moneyOf(tax)},
                     {u"developerRevenueInBuyerCurrency"_s, moneyOf((minor - tax) * 85 / 100)},
                     {u"lineItems"_s, QJsonArray{QJsonObject{{u"productId"_s, product}, {u"total"_s, moneyOf(minor)}}}},
                     {u"orderHistory"_s,
                      QJsonObject{{u"processedEvent"_s, QJsonObject{{u"eventTime"_s, stamp(m_now())}}}}}});
    return id;
}

QByteArray FakeGoogle::buy(const QString &product, const QString &user, qint64 minor, int quantity)
{
    m_lastToken = u"sale.token-%1.AO-J1Oz"_s.arg(++m_number);
    const QString id =
        addOrder(u"GPA.3300-0000-0000-%1"_s.arg(m_number, 5, 10, QChar(u'0')), m_lastToken, product, minor);
    m_orders[id].insert(u"lineItems"_s,
                        QJsonArray{QJsonObject{{u"productId"_s, product},
                                               {u"oneTimePurchaseDetails"_s, QJsonObject{{u"quantity"_s, quantity}}}}});
    QJsonObject made{{u"kind"_s, u"androidpublisher#productPurchase"_s},
                     {u"purchaseTimeMillis"_s, QString::number(m_now().toMSecsSinceEpoch())},
                     {u"purchaseState"_s, 0},
                     {u"consumptionState"_s, 0},
                     {u"acknowledgementState"_s, 0},
                     {u"orderId"_s, id},
                     {u"quantity"_s, quantity},
                     {u"regionCode"_s, u"US"_s},
                     {u"productId_"_s, product}};
    if (!user.isEmpty())
        made.insert(u"obfuscatedExternalAccountId"_s, user);
    m_sales.insert(m_lastToken, made);
    return push({{u"oneTimeProductNotification"_s,
                  QJsonObject{{u"version"_s, u"1.0"_s},
                              {u"notificationType"_s, 1},
                              {u"purchaseToken"_s, m_lastToken},
                              {u"sku"_s, product}}}});
}

void FakeGoogle::changeItem(const QString &token, const std::function<void(QJsonObject &)> &change)
{
    QJsonArray items = m_subscriptions[token].value(u"lineItems"_s).toArray();
    QJsonObject only = items.first().toObject();
    change(only);
    m_subscriptions[token].insert(u"lineItems"_s, QJsonArray{only});
}

QString FakeGoogle::orderOf(const QString &token) const
{
    return m_subscriptions.value(token)
        .value(u"lineItems"_s)
        .toArray()
        .first()[u"latestSuccessfulOrderId"_s]
        .toString();
}

namespace {

void setPeriod(QJsonObject &order, const QString &product, const QString &from, const QString &to, bool trial)
{
    const QJsonObject period{{u"basePlanId"_s, u"monthly"_s},
                             {u"offerPhase"_s, trial ? u"FREE_TRIAL"_s : u"BASE"_s},
                             {u"servicePeriodStartTime"_s, from},
                             {u"servicePeriodEndTime"_s, to}};
    order.insert(u"lineItems"_s,
                 QJsonArray{QJsonObject{{u"productId"_s, product}, {u"subscriptionDetails"_s, period}}});
}

} // namespace

QByteArray FakeGoogle::subscribe(const QString &product, const QString &user, qint64 minor, const QString &linked,
                                 bool trial)
{
    m_lastToken = u"subs.token-%1.AO-J1Oz"_s.arg(++m_number);
    const QDateTime end = m_now().addMonths(1);
    const QString id =
        addOrder(u"GPA.3300-1111-0000-%1"_s.arg(m_number, 5, 10, QChar(u'0')), m_lastToken, product, trial ? 0 : minor);
    setPeriod(m_orders[id], product, stamp(m_now()), stamp(end), trial);
    const QJsonObject only{{u"productId"_s, product},
                           {u"expiryTime"_s, stamp(end)},
                           {u"latestSuccessfulOrderId"_s, id},
                           {u"autoRenewingPlan"_s,
                            QJsonObject{{u"autoRenewEnabled"_s, true}, {u"recurringPrice"_s, moneyOf(minor)}}}};
    QJsonObject made{{u"kind"_s, u"androidpublisher#subscriptionPurchaseV2"_s},
                     {u"startTime"_s, stamp(m_now())},
                     {u"subscriptionState"_s, u"SUBSCRIPTION_STATE_ACTIVE"_s},
                     {u"latestOrderId"_s, id},
                     {u"acknowledgementState"_s, u"ACKNOWLEDGEMENT_STATE_PENDING"_s},
                     {u"lineItems"_s, QJsonArray{only}}};
    if (!user.isEmpty())
        made.insert(u"externalAccountIdentifiers"_s, QJsonObject{{u"obfuscatedExternalAccountId"_s, user}});
    if (!linked.isEmpty()) {
        made.insert(u"linkedPurchaseToken"_s, linked);
        m_subscriptions[linked].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_EXPIRED"_s);
        changeItem(linked, [&](QJsonObject &item) { item.insert(u"expiryTime"_s, stamp(m_now())); });
    }
    m_subscriptions.insert(m_lastToken, made);
    return pushSubscription(4, m_lastToken);
}

QByteArray FakeGoogle::renew(const QString &token)
{
    const QJsonObject before = m_subscriptions[token].value(u"lineItems"_s).toArray().first().toObject();
    const QString product =
        before.value(u"deferredItemReplacement"_s)[u"productId"_s].toString(before.value(u"productId"_s).toString());
    const QString base = before.value(u"latestSuccessfulOrderId"_s).toString().section(u".."_s, 0, 0);
    const qint64 minor =
        before.value(u"autoRenewingPlan"_s)[u"recurringPrice"_s][u"units"_s].toString().toLongLong() * 100
        + before.value(u"autoRenewingPlan"_s)[u"recurringPrice"_s][u"nanos"_s].toInteger() / 10'000'000;
    const QDateTime start = m_now();
    const QString id = addOrder(u"%1..%2"_s.arg(base).arg(++m_number), token, product, minor);
    setPeriod(m_orders[id], product, stamp(start), stamp(start.addMonths(1)), false);
    m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_ACTIVE"_s);
    m_subscriptions[token].insert(u"latestOrderId"_s, id);
    changeItem(token, [&](QJsonObject &item) {
        item.insert(u"productId"_s, product);
        item.remove(u"deferredItemReplacement"_s);
        item.insert(u"expiryTime"_s, stamp(start.addMonths(1)));
        item.insert(u"latestSuccessfulOrderId"_s, id);
    });
    return pushSubscription(2, token);
}

QByteArray FakeGoogle::enterGrace(const QString &token, int days)
{
    m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_IN_GRACE_PERIOD"_s);
    changeItem(token, [&](QJsonObject &item) { item.insert(u"expiryTime"_s, stamp(m_now().addDays(days))); });
    return pushSubscription(6, token);
}

QByteArray FakeGoogle::putOnHold(const QString &token)
{
    m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_ON_HOLD"_s);
    changeItem(token, [&](QJsonObject &item) { item.insert(u"expiryTime"_s, stamp(m_now())); });
    return pushSubscription(5, token);
}

QByteArray FakeGoogle::cancel(const QString &token)
{
    m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_CANCELED"_s);
    changeItem(token, [](QJsonObject &item) {
        item.insert(u"autoRenewingPlan"_s, QJsonObject{{u"autoRenewEnabled"_s, false}});
    });
    return pushSubscription(3, token);
}

QByteArray FakeGoogle::restart(const QString &token)
{
    m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_ACTIVE"_s);
    changeItem(token, [](QJsonObject &item) {
        item.insert(u"autoRenewingPlan"_s,
                    QJsonObject{{u"autoRenewEnabled"_s, true}, {u"recurringPrice"_s, moneyOf(999)}});
    });
    return pushSubscription(7, token);
}

QByteArray FakeGoogle::expire(const QString &token)
{
    m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_EXPIRED"_s);
    return pushSubscription(13, token);
}

QByteArray FakeGoogle::defer(const QString &token, const QString &product)
{
    changeItem(token, [&](QJsonObject &item) {
        item.insert(u"deferredItemReplacement"_s, QJsonObject{{u"productId"_s, product}});
    });
    return pushSubscription(17, token);
}

QByteArray FakeGoogle::refundPartly(const QString &order, qint64 minor)
{
    QJsonObject history = m_orders[order].value(u"orderHistory"_s).toObject();
    QJsonArray parts = history.value(u"partialRefundEvents"_s).toArray();
    parts.append(QJsonObject{{u"createTime"_s, stamp(m_now())},
                             {u"processTime"_s, stamp(m_now())},
                             {u"state"_s, u"PROCESSED_SUCCESSFULLY"_s},
                             {u"refundDetails"_s, QJsonObject{{u"total"_s, moneyOf(minor)}}}});
    history.insert(u"partialRefundEvents"_s, parts);
    m_orders[order].insert(u"orderHistory"_s, history);
    m_orders[order].insert(u"state"_s, u"PARTIALLY_REFUNDED"_s);
    const QString token = m_orders[order].value(u"purchaseToken"_s).toString();
    return push({{u"voidedPurchaseNotification"_s,
                  QJsonObject{{u"purchaseToken"_s, token},
                              {u"orderId"_s, order},
                              {u"productType"_s, m_subscriptions.contains(token) ? 1 : 2},
                              {u"refundType"_s, 2}}}});
}

void FakeGoogle::voidOrder(const QString &order)
{
    QJsonObject history = m_orders[order].value(u"orderHistory"_s).toObject();
    history.insert(u"refundEvent"_s,
                   QJsonObject{{u"eventTime"_s, stamp(m_now())},
                               {u"refundDetails"_s, QJsonObject{{u"total"_s, m_orders[order].value(u"total"_s)}}}});
    m_orders[order].insert(u"orderHistory"_s, history);
    m_orders[order].insert(u"state"_s, u"REFUNDED"_s);
    const QString token = m_orders[order].value(u"purchaseToken"_s).toString();
    m_voided.append(QJsonObject{{u"kind"_s, u"androidpublisher#voidedPurchase"_s},
                                {u"purchaseToken"_s, token},
                                {u"orderId"_s, order},
                                {u"voidedTimeMillis"_s, QString::number(m_now().toMSecsSinceEpoch())},
                                {u"voidedSource"_s, 1},
                                {u"voidedReason"_s, 0}});
    if (m_sales.contains(token))
        m_sales[token].insert(u"purchaseState"_s, 1);
    if (m_subscriptions.contains(token) && orderOf(token) == order) {
        m_subscriptions[token].insert(u"subscriptionState"_s, u"SUBSCRIPTION_STATE_EXPIRED"_s);
        changeItem(token, [&](QJsonObject &item) { item.insert(u"expiryTime"_s, stamp(m_now())); });
    }
}

QByteArray FakeGoogle::refund(const QString &order)
{
    voidOrder(order);
    const QString token = m_orders[order].value(u"purchaseToken"_s).toString();
    return push({{u"voidedPurchaseNotification"_s,
                  QJsonObject{{u"purchaseToken"_s, token},
                              {u"orderId"_s, order},
                              {u"productType"_s, m_subscriptions.contains(token) ? 1 : 2},
                              {u"refundType"_s, 1}}}});
}

FakeWire::Answer FakeGoogle::giveToken(const FakeWire::Request &request)
{
    const QUrlQuery form(QString::fromLatin1(request.body));
    const auto jws = jose::Jws::read(form.queryItemValue(u"assertion"_s).toLatin1(), 8192);
    const auto key = jose::JwsKey::fromPublicKey(m_accountKey.get());
    const auto said = jws ? jws->claims() : std::nullopt;
    const qint64 now_s = m_now().toSecsSinceEpoch();
    const bool good = request.method == "POST"
        && form.queryItemValue(u"grant_type"_s, QUrl::FullyDecoded) == "urn:ietf:params:oauth:grant-type:jwt-bearer"_L1
        && said && key->verifies(*jws) && jws->keyId() == "account-key"_L1 && said->value(u"iss"_s) == account
        && said->value(u"scope"_s) == u"https://www.googleapis.com/auth/androidpublisher"_s
        && said->value(u"aud"_s) == url().resolved(QUrl(u"/token"_s)).toString()
        && said->value(u"exp"_s).toInteger() - said->value(u"iat"_s).toInteger() <= 3600
        && std::abs(said->value(u"iat"_s).toInteger() - now_s) < 60;
    if (!good)
        return {400, R"({"error":"invalid_grant","error_description":"Invalid JWT"})"};
    m_accessToken = "ya29.token-" + QByteArray::number(++tokens);
    m_tokenUntil = m_now().addSecs(3599);
    return {200,
            googleJson({{u"access_token"_s, QString::fromLatin1(m_accessToken)},
                        {u"expires_in"_s, 3599},
                        {u"token_type"_s, u"Bearer"_s}})};
}

FakeWire::Answer FakeGoogle::answer(const FakeWire::Request &request)
{
    if (request.path == "/certs"_L1)
        return {200, googleJson({{u"push-key"_s, QString::fromLatin1(m_certificate)}})};
    if (request.path == "/token"_L1)
        return giveToken(request);
    if (request.headers.value("authorization") != "Bearer " + m_accessToken || m_now() >= m_tokenUntil
        || std::exchange(withdrawToken, false)) {
        ++unauthorized;
        return {401, R"({"error":{"code":401,"status":"UNAUTHENTICATED"}})"};
    }
    const QString root = u"/androidpublisher/v3/applications/%1/"_s.arg(packageName);
    if (!request.path.startsWith(root))
        return unknownPurchase;
    return api(request, request.path.mid(root.size()));
}

FakeWire::Answer FakeGoogle::api(const FakeWire::Request &request, const QString &what)
{
    if (request.method == "POST")
        return act(what);
    const QString last = what.section(u'/', -1);
    if (what.startsWith(u"purchases/subscriptionsv2/tokens/"_s) && m_subscriptions.contains(last))
        return {200, googleJson(m_subscriptions[last])};
    if (what.startsWith(u"purchases/products/"_s) && m_sales.contains(last)
        && m_sales[last].value(u"productId_"_s) == what.section(u'/', 2, 2))
        return {200, googleJson(m_sales[last])};
    if (what.startsWith(u"orders/"_s) && m_orders.contains(last))
        return {200, googleJson(m_orders[last])};
    if (what == "purchases/voidedpurchases"_L1)
        return voidedPage(request.query);
    return unknownPurchase;
}

FakeWire::Answer FakeGoogle::voidedPage(const QUrlQuery &query) const
{
    QJsonArray found;
    for (const QJsonValue &one : m_voided)
        if (const qint64 at = one[u"voidedTimeMillis"_s].toString().toLongLong();
            at >= query.queryItemValue(u"startTime"_s).toLongLong()
            && at < query.queryItemValue(u"endTime"_s).toLongLong())
            found.append(one);
    const int from = query.queryItemValue(u"token"_s).toInt();
    QJsonObject page{{u"voidedPurchases"_s, from < found.size() ? QJsonArray{found.at(from)} : QJsonArray()}};
    if (from + 1 < found.size())
        page.insert(u"tokenPagination"_s, QJsonObject{{u"nextPageToken"_s, QString::number(from + 1)}});
    return {200, googleJson(page)};
}

FakeWire::Answer FakeGoogle::act(const QString &what)
{
    const QString token = what.section(u'/', -1).section(u':', 0, 0), verb = what.section(u':', -1);
    if (what.startsWith(u"orders/"_s) && verb == "refund"_L1 && m_orders.contains(token)) {
        voidOrder(token);
        return {204, {}};
    }
    const bool ofProduct = what.startsWith(u"purchases/products/"_s) && m_sales.contains(token)
        && m_sales[token].value(u"productId_"_s) == what.section(u'/', 2, 2);
    const bool ofSubscription = what.startsWith(u"purchases/subscriptions/"_s) && m_subscriptions.contains(token);
    if (!ofProduct && !ofSubscription)
        return unknownPurchase;
    if (verb == "cancel"_L1 && ofSubscription) {
        cancel(token);
        return {204, {}};
    }
    if (refuseAcknowledging > 0) {
        --refuseAcknowledging;
        return {500, R"({"error":{"code":500,"status":"INTERNAL"}})"};
    }
    if (verb == "consume"_L1 && ofProduct) {
        if (m_sales[token].value(u"consumptionState"_s).toInt() == 1)
            return {400, R"({"error":{"code":400,"errors":[{"reason":"productNotOwnedByUser"}]}})"};
        m_sales[token].insert(u"consumptionState"_s, 1);
        m_sales[token].insert(u"acknowledgementState"_s, 1);
    } else if (verb == "acknowledge"_L1 && ofSubscription) {
        m_subscriptions[token].insert(u"acknowledgementState"_s, u"ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"_s);
    } else {
        return unknownPurchase;
    }
    return {204, {}};
}

} // namespace companion::test
