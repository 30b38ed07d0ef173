#include "payments/google/GooglePush.h"

#include <QJsonDocument>
#include <QRegularExpression>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype longestToken = 16 * 1024;

std::unexpected<QString> pushRefused(const QString &why)
{
    return std::unexpected(why);
}

QByteArray bearerIn(const QByteArray &authorization)
{
    return authorization.left(7).toLower() == "bearer " ? authorization.mid(7).trimmed() : QByteArray();
}

std::optional<GoogleNotification> changeIn(const QJsonObject &data)
{
    using Kind = GoogleNotification::Kind;
    GoogleNotification told;
    const auto typeOf = [](const QJsonObject &what, const char *word) {
        return u"%1 %2"_s.arg(QString::fromLatin1(word)).arg(what.value("notificationType"_L1).toInt());
    };
    if (const auto what = data.value("subscriptionNotification"_L1).toObject(); !what.isEmpty()) {
        told.kind = Kind::Subscription;
        told.type = typeOf(what, "subscription");
        told.token = what.value("purchaseToken"_L1).toString();
    } else if (const auto sale = data.value("oneTimeProductNotification"_L1).toObject(); !sale.isEmpty()) {
        told.kind = Kind::OneTime;
        told.type = typeOf(sale, "one-time");
        told.token = sale.value("purchaseToken"_L1).toString();
        told.product = sale.value("sku"_L1).toString();
        if (!isGoogleProduct(told.product))
            return std::nullopt;
    } else if (const auto undone = data.value("voidedPurchaseNotification"_L1).toObject(); !undone.isEmpty()) {
        told.kind = Kind::Voided;
        told.type = u"voided %1"_s.arg(undone.value("refundType"_L1).toInt());
        told.token = undone.value("purchaseToken"_L1).toString();
        told.order = undone.value("orderId"_L1).toString();
        told.isSubscription = undone.value("productType"_L1).toInt() == 1;
        if (!isGoogleOrder(told.order))
            return std::nullopt;
    } else if (data.contains("testNotification"_L1)) {
        told.type = u"test"_s;
        return told;
    } else {
        return std::nullopt;
    }
    return isGoogleToken(told.token) ? std::optional(told) : std::nullopt;
}

bool fits(const QString &text, const QString &pattern)
{
    return QRegularExpression(QRegularExpression::anchoredPattern(pattern)).match(text).hasMatch();
}

} // namespace

bool isGoogleToken(const QString &text)
{
    return fits(text, u"[A-Za-z0-9._~:-]{8,1500}"_s);
}

bool isGoogleProduct(const QString &text)
{
    return fits(text, u"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}"_s);
}

bool isGoogleOrder(const QString &text)
{
    return fits(text, u"[A-Za-z0-9_][A-Za-z0-9_.-]{4,199}"_s);
}

std::optional<QString> GooglePushToken::wantedKey(const QByteArray &authorization)
{
    const auto jws = jose::Jws::read(bearerIn(authorization), longestToken);
    if (!jws || jws->algorithm() != "RS256"_L1 || jws->keyId().isEmpty())
        return std::nullopt;
    return jws->keyId();
}

std::expected<void, QString> GooglePushToken::verify(const QByteArray &authorization, const QDateTime &now) const
{
    const auto jws = jose::Jws::read(bearerIn(authorization), longestToken);
    if (!jws)
        return pushRefused(u"forged: no bearer token"_s);
    const auto key = jws->keyId().isEmpty() ? std::nullopt : m_keys(jws->keyId());
    if (!key || key->algorithm() != jose::JwsKey::Algorithm::RS256 || !key->verifies(*jws))
        return pushRefused(u"forged: not signed by Google"_s);
    const auto claims = jws->claims();
    if (!claims)
        return pushRefused(u"unreadable: the token holds no claims"_s);
    const auto seconds = [&](QLatin1StringView name) {
        const QJsonValue value = claims->value(name);
        return value.isDouble() ? value.toInteger(-1) : -1;
    };
    const QString issuer = claims->value("iss"_L1).toString();
    if (issuer != "https://accounts.google.com"_L1 && issuer != "accounts.google.com"_L1)
        return pushRefused(u"forged: a token of another issuer"_s);
    if (!claims->value("aud"_L1).isString() || claims->value("aud"_L1).toString() != m_expected.audience)
        return pushRefused(u"of another audience"_s);
    if (claims->value("email"_L1).toString() != m_expected.serviceAccount
        || claims->value("email_verified"_L1) != QJsonValue(true))
        return pushRefused(u"forged: a token of another account"_s);
    const qint64 now_s = now.toSecsSinceEpoch(), issued_s = seconds("iat"_L1), expires_s = seconds("exp"_L1);
    if (expires_s <= now_s || issued_s < 0 || issued_s > now_s + clockSkew_s || expires_s <= issued_s)
        return pushRefused(u"stale: the token's time has passed"_s);
    return {};
}

std::expected<GoogleNotification, QString> readGooglePush(const QByteArray &body, const QString &packageName)
{
    const QJsonObject message = QJsonDocument::fromJson(body).object().value("message"_L1).toObject();
    const QString id = message.value("messageId"_L1).toString(message.value("message_id"_L1).toString());
    const auto decoded = QByteArray::fromBase64Encoding(message.value("data"_L1).toString().toLatin1(),
                                                        QByteArray::AbortOnBase64DecodingErrors);
    const QJsonObject data = decoded ? QJsonDocument::fromJson(decoded.decoded).object() : QJsonObject();
    if (id.isEmpty() || id.size() > 200 || id.contains(QChar(u'\0')) || data.isEmpty())
        return pushRefused(u"unreadable: no message"_s);
    if (data.value("packageName"_L1).toString() != packageName)
        return pushRefused(
            u"of another app: \"%1\""_s.arg(data.value("packageName"_L1).toString().left(80).remove(QChar(u'\0'))));
    auto told = changeIn(data);
    // 64-bit numbers are text in Google's JSON.
    const qint64 at_ms = data.value("eventTimeMillis"_L1).toVariant().toLongLong();
    if (!told || at_ms <= 0 || at_ms > 253'402'300'799'999)
        return pushRefused(u"unreadable: no notification that we know"_s);
    told->id = id;
    told->at = QDateTime::fromMSecsSinceEpoch(at_ms, Qt::UTC);
    return *told;
}

QJsonObject GoogleNotification::toLookUp() const
{
    return {{u"kind"_s, int(kind)},
            {u"token"_s, token},
            {u"product"_s, product},
            {u"order"_s, order},
            {u"is_subscription"_s, isSubscription}};
}

std::optional<GoogleNotification> GoogleNotification::fromLookUp(const QJsonObject &object)
{
    GoogleNotification told;
    told.kind = Kind(object.value("kind"_L1).toInt(int(Kind::Test)));
    told.token = object.value("token"_L1).toString();
    told.product = object.value("product"_L1).toString();
    told.order = object.value("order"_L1).toString();
    told.isSubscription = object.value("is_subscription"_L1).toBool();
    return isGoogleToken(told.token) ? std::optional(told) : std::nullopt;
}

} // namespace companion::payments
