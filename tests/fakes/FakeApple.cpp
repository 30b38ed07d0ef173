#include "fakes/FakeApple.h"

#include "jose/Jws.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMessageAuthenticationCode>
#include <QUuid>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

QByteArray compactJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QByteArray drained(BIO *bio)
{
    char *data = nullptr;
    const auto length = BIO_get_mem_data(bio, &data);
    const QByteArray text(data, length);
    BIO_free(bio);
    return text;
}

ASN1_TIME *setTime(ASN1_TIME *to, const QDateTime &time)
{
    return ASN1_TIME_set(to, time.toSecsSinceEpoch());
}

void addExtension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void addMarker(X509 *certificate, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *null = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(null, reinterpret_cast<const unsigned char *>("\x05\x00"), 2);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(nullptr, object, 0, null);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(null);
    ASN1_OBJECT_free(object);
}

struct CertPlan
{
    QByteArray name;
    QByteArray curve;
    QDateTime from = QDateTime(QDate(2020, 1, 1), QTime(0, 0), Qt::UTC);
    QDateTime until = QDateTime(QDate(2039, 1, 1), QTime(0, 0), Qt::UTC);
    bool isAuthority = false;
    const char *marker = nullptr;
};

AppleChain::Cert makeCertificate(const CertPlan &plan, const AppleChain::Cert *issuer, const QByteArray &issuerName)
{
    static int serial = 0;
    AppleChain::Cert made{{EVP_EC_gen(plan.curve.constData()), EVP_PKEY_free}, {X509_new(), X509_free}};
    X509 *certificate = made.x509.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    setTime(X509_getm_notBefore(certificate), plan.from);
    setTime(X509_getm_notAfter(certificate), plan.until);
    X509_set_pubkey(certificate, made.key.get());
    const auto addName = [](X509_NAME *to, const QByteArray &name) {
        X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char *>(name.constData()),
                                   -1, -1, 0);
    };
    addName(X509_get_subject_name(certificate), plan.name);
    X509_NAME *issuedBy = X509_NAME_new();
    addName(issuedBy, issuerName);
    X509_set_issuer_name(certificate, issuedBy);
    X509_NAME_free(issuedBy);
    addExtension(certificate, NID_basic_constraints, plan.isAuthority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    addExtension(certificate, NID_key_usage,
                 plan.isAuthority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (plan.marker)
        addMarker(certificate, plan.marker);
    X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), EVP_sha384());
    return made;
}

// The DER of ECDSA, as JWS has it: r and s of the key's size, one after the other.
QByteArray joinedSignature(const QByteArray &der, int octets)
{
    const auto *at = reinterpret_cast<const unsigned char *>(der.constData());
    ECDSA_SIG *signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    QByteArray joined(2 * octets, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char *>(joined.data()), octets);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char *>(joined.data()) + octets, octets);
    ECDSA_SIG_free(signature);
    return joined;
}

QByteArray signatureOf(EVP_PKEY *key, const QByteArray &input)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
    QByteArray signature(1024, '\0');
    size_t length = static_cast<size_t>(signature.size());
    EVP_DigestSign(context, reinterpret_cast<unsigned char *>(signature.data()), &length,
                   reinterpret_cast<const unsigned char *>(input.constData()), static_cast<size_t>(input.size()));
    EVP_MD_CTX_free(context);
    signature.truncate(static_cast<qsizetype>(length));
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC
        ? joinedSignature(signature, EVP_PKEY_get_bits(key) == 256 ? 32 : 48)
        : signature;
}

} // namespace

QByteArray AppleChain::Cert::der() const
{
    unsigned char *data = nullptr;
    const int length = i2d_X509(x509.get(), &data);
    const QByteArray der(reinterpret_cast<const char *>(data), length);
    OPENSSL_free(data);
    return der;
}

QByteArray AppleChain::Cert::pem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x509.get());
    return drained(bio);
}

QByteArray AppleChain::Cert::privatePem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return drained(bio);
}

AppleChain::Cert AppleChain::makeRoot(const QByteArray &name)
{
    return makeCertificate({.name = name, .curve = "P-384", .isAuthority = true}, nullptr, name);
}

AppleChain::AppleChain(const Cert &root, const Shape &shape)
    : m_root(root)
{
    const QByteArray rootName = "Test Root CA - G3", middle = "Test Developer Relations", leaf = "Test Receipt Signing";
    m_intermediate = makeCertificate({.name = middle,
                                      .curve = "P-384",
                                      .until = shape.intermediateUntil,
                                      .isAuthority = shape.intermediateIsAuthority,
                                      .marker = shape.intermediateOid ? "1.2.840.113635.100.6.2.1" : nullptr},
                                     &m_root, rootName);
    const Cert stranger = makeCertificate({.name = middle, .curve = "P-384", .isAuthority = true}, nullptr, middle);
    m_leaf = makeCertificate({.name = leaf,
                              .curve = shape.curve,
                              .from = shape.leafFrom,
                              .until = shape.leafUntil,
                              .marker = shape.leafOid ? "1.2.840.113635.100.6.11.1" : nullptr},
                             shape.leafFromIntermediate ? &m_intermediate : &stranger, middle);
}

QList<QByteArray> AppleChain::x5c() const
{
    return {m_leaf.der(), m_intermediate.der(), m_root.der()};
}

QByteArray AppleChain::sign(const QJsonObject &payload, const QList<QByteArray> &x5c, const QByteArray &algorithm,
                            const std::shared_ptr<evp_pkey_st> &key) const
{
    QJsonArray chain;
    for (const QByteArray &der : x5c)
        chain.append(QString::fromLatin1(der.toBase64()));
    const QJsonObject header{{u"alg"_s, QString::fromLatin1(algorithm)}, {u"x5c"_s, chain}};
    const QByteArray input = compactJson(header).toBase64(base64Url) + '.' + compactJson(payload).toBase64(base64Url);
    const QByteArray signature = signatureOf(key ? key.get() : m_leaf.key.get(), input);
    return input + '.' + signature.toBase64(base64Url);
}

FakeApple::FakeApple(std::function<QDateTime()> now, QObject *parent)
    : QObject(parent)
    , m_now(std::move(now))
    , m_chain(AppleChain::usual(AppleChain::makeRoot()))
    , m_apiKey(makeCertificate({.name = "api", .curve = "P-256"}, nullptr, "api"))
    , m_wire([this](const FakeWire::Request &request) { return answer(request); })
{
}

QByteArray FakeApple::apiKeyPem() const
{
    return m_apiKey.privatePem();
}

QString FakeApple::add(const QString &product, const QString &type, const QString &user, qint64 price_milli)
{
    m_last = QString::number(++m_number);
    QJsonObject made{{u"transactionId"_s, m_last},
                     {u"originalTransactionId"_s, m_last},
                     {u"bundleId"_s, bundleId},
                     {u"productId"_s, product},
                     {u"purchaseDate"_s, now_ms()},
                     {u"originalPurchaseDate"_s, now_ms()},
                     {u"quantity"_s, 1},
                     {u"type"_s, type},
                     {u"inAppOwnershipType"_s, u"PURCHASED"_s},
                     {u"environment"_s, environment},
                     {u"storefront"_s, u"USA"_s},
                     {u"storefrontId"_s, u"143441"_s},
                     {u"transactionReason"_s, u"PURCHASE"_s},
                     {u"currency"_s, u"USD"_s},
                     {u"price"_s, price_milli}};
    if (!user.isEmpty())
        made.insert(u"appAccountToken"_s, user);
    m_transactions.insert(m_last, made);
    return m_last;
}

QByteArray FakeApple::transactionJws(const QString &id) const
{
    QJsonObject payload = m_transactions.value(id);
    payload.insert(u"signedDate"_s, now_ms());
    return m_chain.sign(payload);
}

QByteArray FakeApple::renewalJws(const QString &original) const
{
    QJsonObject payload = m_renewal;
    payload.insert(u"originalTransactionId"_s, original);
    payload.insert(u"environment"_s, environment);
    payload.insert(u"signedDate"_s, now_ms());
    return m_chain.sign(payload);
}

QJsonObject FakeApple::notification(const QString &type, const QString &subtype, const QString &transaction) const
{
    QJsonObject data{{u"bundleId"_s, bundleId}, {u"bundleVersion"_s, u"1.0"_s}, {u"environment"_s, environment}};
    if (environment == "Production"_L1)
        data.insert(u"appAppleId"_s, appId);
    if (!transaction.isEmpty())
        data.insert(u"signedTransactionInfo"_s, QString::fromLatin1(transactionJws(transaction)));
    const QJsonObject bought = m_transactions.value(transaction);
    if (bought.value(u"type"_s).toString().startsWith(u"Auto"_s))
        data.insert(u"signedRenewalInfo"_s,
                    QString::fromLatin1(renewalJws(bought.value(u"originalTransactionId"_s).toString())));
    QJsonObject made{{u"notificationType"_s, type},
                     {u"notificationUUID"_s, QUuid::createUuid().toString(QUuid::WithoutBraces)},
                     {u"version"_s, u"2.0"_s},
                     {u"signedDate"_s, now_ms()},
                     {u"data"_s, data}};
    if (!subtype.isEmpty())
        made.insert(u"subtype"_s, subtype);
    return made;
}

QByteArray FakeApple::notify(const QString &type, const QString &subtype, const QString &transaction)
{
    const QByteArray jws = m_chain.sign(notification(type, subtype, transaction));
    m_sent.append({now_ms(), jws});
    return jws;
}

QByteArray FakeApple::bodyOf(const QByteArray &signedPayload)
{
    return compactJson({{u"signedPayload"_s, QString::fromLatin1(signedPayload)}});
}

QByteArray FakeApple::buy(const QString &product, const QString &user, qint64 price_milli, int quantity,
                          const QString &currency)
{
    QJsonObject &made = m_transactions[add(product, u"Consumable"_s, user, price_milli)];
    made.insert(u"quantity"_s, quantity);
    made.insert(u"currency"_s, currency);
    return notify(u"ONE_TIME_CHARGE"_s, {}, m_last);
}

QByteArray FakeApple::subscribe(const QString &product, const QString &user, qint64 price_milli, bool trial)
{
    QJsonObject &made = m_transactions[add(product, u"Auto-Renewable Subscription"_s, user, price_milli)];
    const qint64 end = m_now().addMonths(1).toMSecsSinceEpoch();
    made.insert(u"expiresDate"_s, end);
    made.insert(u"subscriptionGroupIdentifier"_s, u"21000000"_s);
    if (trial)
        made.insert(u"offerDiscountType"_s, u"FREE_TRIAL"_s);
    m_renewal = {{u"autoRenewProductId"_s, product},
                 {u"productId"_s, product},
                 {u"autoRenewStatus"_s, 1},
                 {u"isInBillingRetryPeriod"_s, false},
                 {u"renewalDate"_s, end}};
    return notify(u"SUBSCRIBED"_s, u"INITIAL_BUY"_s, m_last);
}

QByteArray FakeApple::renew()
{
    const QJsonObject before = m_transactions.value(m_last);
    QJsonObject made = before;
    m_last = QString::number(++m_number);
    const QDateTime start =
        std::max(QDateTime::fromMSecsSinceEpoch(before.value(u"expiresDate"_s).toInteger(), Qt::UTC), m_now());
    made.insert(u"transactionId"_s, m_last);
    made.insert(u"productId"_s, m_renewal.value(u"autoRenewProductId"_s));
    made.insert(u"purchaseDate"_s, start.toMSecsSinceEpoch());
    made.insert(u"expiresDate"_s, start.addMonths(1).toMSecsSinceEpoch());
    made.insert(u"transactionReason"_s, u"RENEWAL"_s);
    made.remove(u"offerDiscountType"_s);
    m_transactions.insert(m_last, made);
    m_renewal.insert(u"isInBillingRetryPeriod"_s, false);
    m_renewal.insert(u"productId"_s, made.value(u"productId"_s));
    m_renewal.insert(u"renewalDate"_s, made.value(u"expiresDate"_s));
    m_renewal.remove(u"gracePeriodExpiresDate"_s);
    return notify(u"DID_RENEW"_s, {}, m_last);
}

QByteArray FakeApple::failRenewal(int grace_days)
{
    m_renewal.insert(u"isInBillingRetryPeriod"_s, true);
    if (grace_days > 0)
        m_renewal.insert(u"gracePeriodExpiresDate"_s,
                         m_transactions.value(m_last).value(u"expiresDate"_s).toInteger() + grace_days * 86'400'000LL);
    return notify(u"DID_FAIL_TO_RENEW"_s, grace_days > 0 ? u"GRACE_PERIOD"_s : QString(), m_last);
}

QByteArray FakeApple::endGrace()
{
    m_renewal.remove(u"gracePeriodExpiresDate"_s);
    return notify(u"GRACE_PERIOD_EXPIRED"_s, {}, m_last);
}

QByteArray FakeApple::expire()
{
    m_renewal.insert(u"autoRenewStatus"_s, 0);
    m_renewal.insert(u"isInBillingRetryPeriod"_s, false);
    m_renewal.insert(u"expirationIntent"_s, 1);
    return notify(u"EXPIRED"_s, u"VOLUNTARY"_s, m_last);
}

QByteArray FakeApple::setRenewal(bool renews)
{
    m_renewal.insert(u"autoRenewStatus"_s, renews ? 1 : 0);
    return notify(u"DID_CHANGE_RENEWAL_STATUS"_s, renews ? u"AUTO_RENEW_ENABLED"_s : u"AUTO_RENEW_DISABLED"_s, m_last);
}

QByteArray FakeApple::changeTo(const QString &product, bool atOnce, qint64 price_milli)
{
    m_renewal.insert(u"autoRenewProductId"_s, product);
    if (atOnce) {
        QJsonObject made = m_transactions.value(m_last);
        m_transactions[m_last].insert(u"isUpgraded"_s, true);
        m_last = QString::number(++m_number);
        made.insert(u"transactionId"_s, m_last);
        made.insert(u"productId"_s, product);
        made.insert(u"purchaseDate"_s, now_ms());
        made.insert(u"expiresDate"_s, m_now().addMonths(1).toMSecsSinceEpoch());
        made.insert(u"price"_s, price_milli);
        m_transactions.insert(m_last, made);
        m_renewal.insert(u"renewalDate"_s, made.value(u"expiresDate"_s));
    } else {
        m_transactions[m_last].insert(u"price"_s, m_transactions.value(m_last).value(u"price"_s));
    }
    return notify(u"DID_CHANGE_RENEWAL_PREF"_s, atOnce ? u"UPGRADE"_s : u"DOWNGRADE"_s, m_last);
}

QByteArray FakeApple::refund(const QString &transaction, int milliPercent)
{
    QJsonObject &made = m_transactions[transaction];
    made.insert(u"revocationDate"_s, now_ms());
    made.insert(u"revocationReason"_s, 1);
    made.insert(u"revocationType"_s, milliPercent == 100'000 ? u"REFUND_FULL"_s : u"REFUND_PRORATED"_s);
    made.insert(u"revocationPercentage"_s, milliPercent);
    return notify(u"REFUND"_s, {}, transaction);
}

QByteArray FakeApple::reverseRefund(const QString &transaction)
{
    for (const QString &member :
         {u"revocationDate"_s, u"revocationReason"_s, u"revocationType"_s, u"revocationPercentage"_s})
        m_transactions[transaction].remove(member);
    return notify(u"REFUND_REVERSED"_s, {}, transaction);
}

QByteArray FakeApple::askForConsumption(const QString &transaction)
{
    return notify(u"CONSUMPTION_REQUEST"_s, {}, transaction);
}

QByteArray FakeApple::test()
{
    return notify(u"TEST"_s, {}, {});
}

bool FakeApple::isAuthorized(const QByteArray &header) const
{
    const auto jws = jose::Jws::read(header.mid(7), 4096);
    const auto key = jose::JwsKey::fromPublicKey(m_apiKey.key.get());
    const auto claims = jws ? jws->claims() : std::nullopt;
    return header.startsWith("Bearer ") && claims && key->verifies(*jws) && jws->keyId() == keyId
        && claims->value(u"iss"_s) == issuerId && claims->value(u"bid"_s) == bundleId
        && claims->value(u"aud"_s) == u"appstoreconnect-v1"_s && claims->value(u"exp"_s).toInteger() * 1000 > now_ms()
        && claims->value(u"exp"_s).toInteger() - claims->value(u"iat"_s).toInteger() <= 3600;
}

QByteArray FakeApple::page(const QList<QByteArray> &all, const QString &at, const char *list, const char *cursor,
                           const char *wrapped) const
{
    const qsizetype from = at.isEmpty() ? 0 : at.toLongLong();
    QJsonArray items;
    for (qsizetype i = from; i < std::min<qsizetype>(from + pageSize, all.size()); ++i) {
        const QString jws = QString::fromLatin1(all[i]);
        items.append(wrapped ? QJsonValue(QJsonObject{{QLatin1StringView(wrapped), jws}}) : QJsonValue(jws));
    }
    const bool more = from + pageSize < all.size();
    return compactJson({{QLatin1StringView(list), items},
                        {QLatin1StringView(cursor), QString::number(from + items.size())},
                        {u"hasMore"_s, more},
                        {u"bundleId"_s, bundleId},
                        {u"environment"_s, environment}});
}

QList<QByteArray> FakeApple::boughtBy(const QString &, bool refundedOnly) const
{
    QList<QByteArray> all; // there is one customer
    for (auto it = m_transactions.begin(); it != m_transactions.end(); ++it)
        if (!refundedOnly || it->contains(u"revocationDate"_s))
            all.append(transactionJws(it.key()));
    return all;
}

FakeWire::Answer FakeApple::answer(const FakeWire::Request &request)
{
    if (!isAuthorized(request.headers.value("authorization"))) {
        ++unauthorized;
        return {401, {}};
    }
    const FakeWire::Answer unknown{404, R"({"errorCode":4040010,"errorMessage":"Transaction id not found."})"};
    const QString id = request.path.section(u'/', -1);
    const QString at = request.query.queryItemValue(u"revision"_s);
    if (request.path == "/inApps/v1/notifications/history"_L1 && request.method == "POST") {
        const QJsonObject asked = QJsonDocument::fromJson(request.body).object();
        QList<QByteArray> sent;
        for (const auto &[time_ms, jws] : std::as_const(m_sent))
            if (time_ms >= asked.value(u"startDate"_s).toInteger() && time_ms < asked.value(u"endDate"_s).toInteger())
                sent.append(jws);
        return {200,
                page(sent, request.query.queryItemValue(u"paginationToken"_s), "notificationHistory", "paginationToken",
                     "signedPayload")};
    }
    if (!m_transactions.contains(id))
        return unknown;
    if (request.path.startsWith("/inApps/v2/transactions/consumption/"_L1) && request.method == "PUT") {
        QJsonObject said = QJsonDocument::fromJson(request.body).object();
        said.insert(u"id"_s, id);
        consumption.append(said);
        return {202, {}};
    }
    if (request.path.startsWith("/inApps/v1/transactions/"_L1))
        return {200, compactJson({{u"signedTransactionInfo"_s, QString::fromLatin1(transactionJws(id))}})};
    if (request.path.startsWith("/inApps/v2/history/"_L1))
        return {200, page(boughtBy(id, false), at, "signedTransactions", "revision")};
    if (request.path.startsWith("/inApps/v2/refund/lookup/"_L1))
        return {200, page(boughtBy(id, true), at, "signedTransactions", "revision")};
    if (request.path.startsWith("/inApps/v1/subscriptions/"_L1)) {
        const QString original = m_transactions.value(id).value(u"originalTransactionId"_s).toString();
        const QJsonObject last{{u"originalTransactionId"_s, original},
                               {u"status"_s, 1},
                               {u"signedTransactionInfo"_s, QString::fromLatin1(transactionJws(m_last))},
                               {u"signedRenewalInfo"_s, QString::fromLatin1(renewalJws(original))}};
        return {200,
                compactJson({{u"bundleId"_s, bundleId},
                             {u"environment"_s, environment},
                             {u"data"_s, QJsonArray{QJsonObject{{u"lastTransactions"_s, QJsonArray{last}}}}}})};
    }
    return unknown;
}

} // namespace companion::test
