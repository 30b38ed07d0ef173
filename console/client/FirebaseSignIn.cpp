#include "console/client/FirebaseSignIn.h"

#include <QHostAddress>
#include <QJsonDocument>

namespace companion::console {

namespace {

constexpr int firebaseSilence_ms = 15'000;

// "identitytoolkit.googleapis.com/v1/accounts:signInWithPassword", at Google or behind the emulator's address.
QNetworkRequest firebaseRequest(const SignInOffer &offer, const QString &endpoint, const char *contentType)
{
    QUrl url(offer.emulatorHost ? QStringLiteral("http://%1/%2").arg(*offer.emulatorHost, endpoint)
                                : QStringLiteral("https://%1").arg(endpoint));
    url.setQuery(QUrlQuery{{QStringLiteral("key"), offer.apiKey.value_or(QString())}});
    QNetworkRequest request(url);
    request.setTransferTimeout(firebaseSilence_ms);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QByteArray(contentType));
    return request;
}

bool isThisMachine(const QString &hostAndPort)
{
    const QString host = QUrl(QStringLiteral("http://") + hostAndPort).host();
    return host == QLatin1StringView("localhost") || QHostAddress(host).isLoopback();
}

// Firebase's own codes, some of which go on with " : " and a sentence.
Problem firebaseProblem(int status, const QByteArray &body)
{
    const QString message =
        QJsonDocument::fromJson(body).object().value(u"error").toObject().value(u"message").toString();
    const QString code = message.section(u' ', 0, 0);
    static const QStringList wrong{QStringLiteral("EMAIL_NOT_FOUND"), QStringLiteral("INVALID_PASSWORD"),
                                   QStringLiteral("INVALID_LOGIN_CREDENTIALS"), QStringLiteral("INVALID_EMAIL"),
                                   QStringLiteral("MISSING_PASSWORD")};
    static const QStringList ended{QStringLiteral("TOKEN_EXPIRED"), QStringLiteral("INVALID_REFRESH_TOKEN"),
                                   QStringLiteral("USER_NOT_FOUND"), QStringLiteral("MISSING_REFRESH_TOKEN")};
    if (wrong.contains(code))
        return {.status = 401, .code = code, .detail = Problem::tr("The email address or the password is wrong.")};
    if (ended.contains(code))
        return {.status = 401, .code = code, .detail = Problem::tr("The sign-in has ended. Sign in again.")};
    if (code == QLatin1StringView("USER_DISABLED"))
        return {.status = 401, .code = code, .detail = Problem::tr("This Firebase account has been disabled.")};
    if (code == QLatin1StringView("TOO_MANY_ATTEMPTS_TRY_LATER"))
        return {.status = 429,
                .code = code,
                .detail = Problem::tr("Too many attempts with this address. Wait a few minutes, then try again.")};
    if (code == QLatin1StringView("OPERATION_NOT_ALLOWED") || code == QLatin1StringView("PASSWORD_LOGIN_DISABLED"))
        return {.status = status,
                .code = code,
                .detail = Problem::tr("This Firebase project does not allow signing in by email and password.")};
    return {.status = status,
            .code = code,
            .detail = Problem::tr("Firebase refused: %1. The server's FIREBASE_WEB_API_KEY may be wrong.")
                          .arg(message.isEmpty() ? Problem::tr("status %1").arg(status) : message)};
}

ApiResult<FirebaseTicket> ticketFrom(QNetworkReply *reply)
{
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const QByteArray body = reply->readAll();
    if (status == 0)
        return std::unexpected(Problem::unreachable(reply->url().adjusted(QUrl::RemoveQuery | QUrl::RemovePath),
                                                    reply->errorString().section(u'?', 0, 0)));
    if (status != 200)
        return std::unexpected(firebaseProblem(status, body));
    const QJsonObject object = QJsonDocument::fromJson(body).object();
    const auto either = [&](const char *one, const char *other) {
        return object.value(QLatin1StringView(one)).toString(object.value(QLatin1StringView(other)).toString());
    };
    const FirebaseTicket ticket{either("idToken", "id_token"), either("refreshToken", "refresh_token")};
    if (ticket.idToken.isEmpty() || ticket.refreshToken.isEmpty())
        return std::unexpected(Problem::unreadable(QStringLiteral("no ID token")));
    return ticket;
}

} // namespace

QString FirebaseAccount::toText() const
{
    const QJsonObject object{{QStringLiteral("offer"), toJson(offer)},
                             {QStringLiteral("email"), email},
                             {QStringLiteral("refresh_token"), refreshToken}};
    return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
}

std::optional<FirebaseAccount> FirebaseAccount::fromText(const QString &text)
{
    const QJsonObject object = QJsonDocument::fromJson(text.toUtf8()).object();
    const auto offer = fromJson<SignInOffer>(object.value(u"offer").toObject(), UnknownFields::Ignore);
    const QString refreshToken = object.value(u"refresh_token").toString();
    if (!offer || refreshToken.isEmpty())
        return std::nullopt;
    return FirebaseAccount{*offer, object.value(u"email").toString(), refreshToken};
}

FirebaseSignIn::FirebaseSignIn(QObject *parent)
    : QObject(parent)
{
    m_network.setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy); // a password is sent once
}

bool FirebaseSignIn::isUsable(const SignInOffer &offer)
{
    return offer.provider == LoginProvider::Firebase && offer.apiKey && !offer.apiKey->isEmpty()
        && (!offer.emulatorHost || isThisMachine(*offer.emulatorHost));
}

void FirebaseSignIn::withPassword(const SignInOffer &offer, const QString &email, const QString &password,
                                  QObject *context, Then then)
{
    const QJsonObject body{{QStringLiteral("email"), email},
                           {QStringLiteral("password"), password},
                           {QStringLiteral("returnSecureToken"), true}};
    post(firebaseRequest(offer, QStringLiteral("identitytoolkit.googleapis.com/v1/accounts:signInWithPassword"),
                         "application/json"),
         QJsonDocument(body).toJson(QJsonDocument::Compact), context, std::move(then));
}

void FirebaseSignIn::renew(const FirebaseAccount &account, QObject *context, Then then)
{
    const QByteArray body = "grant_type=refresh_token&refresh_token=" + QUrl::toPercentEncoding(account.refreshToken);
    post(firebaseRequest(account.offer, QStringLiteral("securetoken.googleapis.com/v1/token"),
                         "application/x-www-form-urlencoded"),
         body, context, std::move(then));
}

void FirebaseSignIn::post(QNetworkRequest request, const QByteArray &body, QObject *context, Then then)
{
    QNetworkReply *reply = m_network.post(request, body);
    connect(reply, &QNetworkReply::finished, reply, &QObject::deleteLater);
    connect(reply, &QNetworkReply::finished, context, [reply, then = std::move(then)] { then(ticketFrom(reply)); });
}

} // namespace companion::console
