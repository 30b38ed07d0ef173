#include "jose/PublishedCertificates.h"

#include <QJsonDocument>
#include <QNetworkReply>
#include <QPointer>
#include <QRegularExpression>
#include <algorithm>

#include <openssl/pem.h>
#include <openssl/x509.h>

namespace companion::jose {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 shortestLife_s = 60;
constexpr qint64 usualLife_s = 3'600; // where Cache-Control says nothing
constexpr qint64 longestLife_s = 24 * 3'600;

// max-age less what a cache on the way has used up of it.
qint64 lifetimeOf(const QNetworkReply &reply)
{
    static const QRegularExpression maxAge(u"(?:^|[\\s,])max-age=(\\d{1,9})(?:$|[\\s,])"_s);
    const auto match = maxAge.match(QString::fromLatin1(reply.rawHeader("Cache-Control").toLower()));
    const qint64 said_s = match.hasMatch() ? match.captured(1).toLongLong() : usualLife_s;
    return std::clamp(said_s - std::max(0LL, reply.rawHeader("Age").toLongLong()), shortestLife_s, longestLife_s);
}

// Null where it is no certificate or its dates cannot be read.
QDateTime endOf(const QByteArray &pem)
{
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.constData(), int(pem.size())), BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
    std::tm end{};
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
        return {};
    return QDateTime(QDate(end.tm_year + 1900, end.tm_mon + 1, end.tm_mday), QTime(end.tm_hour, end.tm_min, end.tm_sec),
                     Qt::UTC);
}

} // namespace

PublishedCertificates::PublishedCertificates(const Clock &clock, Options options, QObject *parent)
    : QObject(parent)
    , m_clock(clock)
    , m_options(std::move(options))
{
    m_network.setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
    m_next.setSingleShot(true);
    connect(&m_next, &QTimer::timeout, this, &PublishedCertificates::fetch);
}

void PublishedCertificates::start()
{
    fetch();
}

std::optional<JwsKey> PublishedCertificates::key(const QString &keyId) const
{
    const auto certificates = [this] {
        const std::scoped_lock lock(m_mutex);
        return m_certificates;
    }();
    const auto found = certificates->constFind(keyId);
    if (found == certificates->constEnd() || found->validUntil <= m_clock.now())
        return std::nullopt;
    return found->key;
}

void PublishedCertificates::want(const QString &keyId, QObject *context, std::function<void()> then)
{
    if (key(keyId))
        return then();
    const QDateTime now = m_clock.now();
    const bool lately = m_unknownKeyAskedAt.isValid() && m_unknownKeyAskedAt <= now
        && m_unknownKeyAskedAt.msecsTo(now) < m_options.unknownKey_ms;
    if (!m_fetching && lately)
        return then();
    m_waiting.push_back([context = QPointer(context), then = std::move(then)] {
        if (context)
            then();
    });
    if (m_fetching)
        return;
    m_unknownKeyAskedAt = now;
    fetch();
}

PublishedCertificates::State PublishedCertificates::state() const
{
    const std::scoped_lock lock(m_mutex);
    return {.keys = int(m_certificates->size()),
            .fresh = m_freshUntil.isValid() && m_clock.now() < m_freshUntil,
            .lastProblem = m_lastProblem};
}

void PublishedCertificates::fetch()
{
    if (std::exchange(m_fetching, true))
        return;
    ++m_fetches;
    QNetworkRequest request(m_options.url);
    request.setRawHeader("Accept", "application/json");
    QNetworkReply *reply = m_network.get(request);
    QTimer::singleShot(m_options.timeout_ms, reply, &QNetworkReply::abort); // Qt's own counts from the last byte
    connect(reply, &QNetworkReply::downloadProgress, reply, [reply](qint64 received, qint64) {
        if (received > maxBytes)
            reply->abort();
    });
    connect(reply, &QNetworkReply::finished, this, [this, reply] { finished(reply); });
}

void PublishedCertificates::finished(QNetworkReply *reply)
{
    reply->deleteLater();
    m_fetching = false;
    const QString problem = take(reply);
    m_failures = problem.isEmpty() ? 0 : m_failures + 1;
    {
        const std::scoped_lock lock(m_mutex);
        m_lastProblem = problem;
        if (problem.isEmpty())
            m_freshUntil = m_clock.now().addSecs(lifetimeOf(*reply));
    }
    const int doublings = std::min(m_failures, 16) - 1;
    schedule(problem.isEmpty()
                 ? lifetimeOf(*reply) * 1000
                 : std::min<qint64>(qint64(m_options.firstRetry_ms) << doublings, m_options.lastRetry_ms));
    for (const auto &then : std::exchange(m_waiting, {}))
        then();
}

QString PublishedCertificates::take(QNetworkReply *reply)
{
    if (reply->error() != QNetworkReply::NoError)
        return reply->errorString();
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status != 200)
        return u"the answer's status is %1"_s.arg(status);
    const auto certificates = read(reply->read(maxBytes + 1));
    if (!certificates)
        return u"the answer holds no certificates"_s;
    const std::scoped_lock lock(m_mutex);
    m_certificates = std::make_shared<const Certificates>(*certificates);
    return {};
}

// An entry that cannot be used is left out; where none can be, the answer is none.
std::optional<PublishedCertificates::Certificates> PublishedCertificates::read(const QByteArray &body)
{
    Certificates certificates;
    const QJsonObject object = body.size() > maxBytes ? QJsonObject() : QJsonDocument::fromJson(body).object();
    for (auto it = object.begin(); it != object.end() && certificates.size() < maxKeys; ++it) {
        const QByteArray pem = it.value().toString().toLatin1();
        const auto key = JwsKey::fromCertificate(pem);
        const QDateTime end = endOf(pem);
        if (key && end.isValid() && !it.key().isEmpty())
            certificates.insert(it.key(), {*key, end});
    }
    return certificates.isEmpty() ? std::nullopt : std::optional(certificates);
}

void PublishedCertificates::schedule(qint64 delay_ms)
{
    m_next.start(std::chrono::milliseconds(delay_ms));
}

} // namespace companion::jose
