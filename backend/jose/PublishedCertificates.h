#pragma once

#include "common/Clock.h"
#include "jose/Jws.h"

#include <QHash>
#include <QNetworkAccessManager>
#include <QObject>
#include <QTimer>
#include <QUrl>
#include <functional>
#include <memory>
#include <mutex>

class QNetworkReply;

namespace companion::jose {

// Google's published certificates, by key id: a JSON object of PEM texts. Fetched at start, again when Cache-Control's
// max-age has passed, and for a key id that is not among them, at most once in unknownKey_ms. What was fetched serves
// on while Google cannot be reached, each key no longer than its certificate is valid; a key that Google takes from the
// list is gone with the next fetch. Lives on the event loop; key() may be called on any thread.
class PublishedCertificates : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QUrl url;
        int timeout_ms = 5'000; // for a whole fetch
        int unknownKey_ms = 30'000; // between fetches for unknown key ids
        int firstRetry_ms = 2'000; // after a failure; doubles up to lastRetry_ms
        int lastRetry_ms = 300'000;
    };
    struct State
    {
        int keys = 0;
        bool fresh = false; // max-age has not passed since the last success
        QString lastProblem; // of the last fetch; empty where it succeeded
    };

    PublishedCertificates(const Clock &clock, Options options, QObject *parent = nullptr);

    void start(); // the first fetch; loop thread
    std::optional<JwsKey> key(const QString &keyId) const;
    // Calls `then` when the key is there or cannot be had now: at once where it is known or was asked for too lately,
    // else after the fetch. Loop thread; not later than timeout_ms, and not when `context` is gone.
    void want(const QString &keyId, QObject *context, std::function<void()> then);
    State state() const; // any thread
    int fetches() const { return m_fetches; }

    static constexpr qsizetype maxBytes = 256 * 1024;
    static constexpr int maxKeys = 64;

private:
    struct Certificate
    {
        JwsKey key;
        QDateTime validUntil;
    };
    using Certificates = QHash<QString, Certificate>;

    void fetch();
    void finished(QNetworkReply *reply);
    QString take(QNetworkReply *reply); // what is wrong; empty: taken over
    static std::optional<Certificates> read(const QByteArray &body);
    void schedule(qint64 delay_ms);

    const Clock &m_clock;
    const Options m_options;
    QNetworkAccessManager m_network;
    QTimer m_next;
    bool m_fetching = false;
    int m_fetches = 0;
    int m_failures = 0;
    QDateTime m_unknownKeyAskedAt;
    std::vector<std::function<void()>> m_waiting;

    mutable std::mutex m_mutex; // the rest is read on workers
    std::shared_ptr<const Certificates> m_certificates = std::make_shared<const Certificates>();
    QDateTime m_freshUntil;
    QString m_lastProblem;
};

} // namespace companion::jose
