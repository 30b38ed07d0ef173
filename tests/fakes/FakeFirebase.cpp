#include "fakes/FakeFirebase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTcpSocket>
#include <QTimer>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

QByteArray compactText(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QByteArray textOf(BIO *bio)
{
    char *data = nullptr;
    const auto length = BIO_get_mem_data(bio, &data);
    const QByteArray text(data, length);
    BIO_free(bio);
    return text;
}

QByteArray selfSigned(EVP_PKEY *pair, const QString &name, int validFor_days)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86'400L * 30);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * validFor_days);
    X509_set_pubkey(certificate, pair);
    X509_NAME *subject = X509_get_subject_name(certificate);
    const QByteArray text = name.toUtf8();
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char *>(text.constData()),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, pair, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    X509_free(certificate);
    return textOf(bio);
}

} // namespace

FakeFirebase::FakeFirebase(const QString &project, QObject *parent)
    : QObject(parent)
    , m_project(project)
{
    connect(&m_server, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *socket = m_server.nextPendingConnection()) {
            connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            if (!listening) {
                socket->abort();
                continue;
            }
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] {
                if (!socket->peek(65'536).contains("\r\n\r\n"))
                    return;
                socket->readAll();
                ++m_asked;
                if (delay_ms >= 0)
                    QTimer::singleShot(delay_ms, socket, [this, socket] { answer(socket); });
            });
        }
    });
    m_server.listen(QHostAddress::LocalHost, 0);
}

FakeFirebase::~FakeFirebase() = default;

QUrl FakeFirebase::url() const
{
    return QUrl(u"http://127.0.0.1:%1/certificates"_s.arg(m_server.serverPort()));
}

void FakeFirebase::answer(QTcpSocket *socket)
{
    const QByteArray content = body.isNull() ? published() : body;
    socket->write("HTTP/1.1 " + QByteArray::number(status) + " X\r\nContent-Type: application/json\r\n"
                  + (cacheControl.isEmpty() ? QByteArray() : QByteArray("Cache-Control: " + cacheControl + "\r\n"))
                  + moreHeaders + "Content-Length: " + QByteArray::number(content.size())
                  + "\r\nConnection: close\r\n\r\n" + content);
    socket->disconnectFromHost();
}

QByteArray FakeFirebase::published() const
{
    QJsonObject object;
    for (auto it = m_keys.begin(); it != m_keys.end(); ++it)
        if (it->published)
            object.insert(it.key(), QString::fromLatin1(it->certificate));
    return QJsonDocument(object).toJson();
}

void FakeFirebase::addKey(const QString &id, int bits, int validFor_days)
{
    const std::shared_ptr<EVP_PKEY> pair(EVP_RSA_gen(static_cast<unsigned int>(bits)), EVP_PKEY_free);
    m_keys.insert(id, {pair, selfSigned(pair.get(), id, validFor_days)});
}

void FakeFirebase::hide(const QString &id)
{
    m_keys[id].published = false;
}

void FakeFirebase::remove(const QString &id)
{
    m_keys.remove(id);
}

QByteArray FakeFirebase::certificate(const QString &id) const
{
    return m_keys.value(id).certificate;
}

QByteArray FakeFirebase::publicKey(const QString &id) const
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, m_keys.value(id).pair.get());
    return textOf(bio);
}

QJsonObject FakeFirebase::claims(qint64 now_s) const
{
    return {{u"iss"_s, QString(u"https://securetoken.google.com/"_s + m_project)},
            {u"aud"_s, m_project},
            {u"auth_time"_s, now_s - 20},
            {u"user_id"_s, u"uid-of-ada"_s},
            {u"sub"_s, u"uid-of-ada"_s},
            {u"iat"_s, now_s - 10},
            {u"exp"_s, now_s + 3590},
            {u"email"_s, u"ada@example.org"_s},
            {u"email_verified"_s, true},
            {u"name"_s, u"Ada"_s},
            {u"firebase"_s,
             QJsonObject{{u"identities"_s, QJsonObject{{u"email"_s, QJsonArray{u"ada@example.org"_s}}}},
                         {u"sign_in_provider"_s, u"password"_s}}}};
}

QJsonObject FakeFirebase::header(const QString &keyId)
{
    return {{u"alg"_s, u"RS256"_s}, {u"kid"_s, keyId}, {u"typ"_s, u"JWT"_s}};
}

QByteArray FakeFirebase::sign(const QByteArray &header, const QByteArray &payload, const QString &keyId) const
{
    const QByteArray input = header.toBase64(base64Url) + '.' + payload.toBase64(base64Url);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, m_keys.value(keyId).pair.get());
    QByteArray signature(512, '\0');
    size_t length = static_cast<size_t>(signature.size());
    EVP_DigestSign(context, reinterpret_cast<unsigned char *>(signature.data()), &length,
                   reinterpret_cast<const unsigned char *>(input.constData()), static_cast<size_t>(input.size()));
    EVP_MD_CTX_free(context);
    return input + '.' + signature.first(static_cast<qsizetype>(length)).toBase64(base64Url);
}

QByteArray FakeFirebase::sign(const QJsonObject &header, const QByteArray &payload, const QString &keyId) const
{
    return sign(compactText(header), payload, keyId);
}

QByteArray FakeFirebase::token(const QString &keyId, const QJsonObject &claims) const
{
    return sign(header(keyId), compactText(claims), keyId);
}

QByteArray FakeFirebase::unsignedToken(const QJsonObject &claims)
{
    return compactText({{u"alg"_s, u"none"_s}, {u"typ"_s, u"JWT"_s}}).toBase64(base64Url) + '.'
        + compactText(claims).toBase64(base64Url) + '.';
}

} // namespace companion::test
