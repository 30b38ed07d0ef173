#pragma once

#include "common/Clock.h"
#include "jose/Jws.h"
#include "payments/ProviderHttp.h"

#include <QJsonObject>

namespace companion::payments {

// The App Store Server API. Signed with our own key (ES256), answered with objects that the App Store signed, which
// are handed on as they are: AppleVerifier says what they are worth. Loop thread; answers come later, once.
// invalid: the App Store knows no such transaction. provider_failed: it did not answer, or not as documented; its log
// holds the status and Apple's error code.
class AppleApi : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QUrl base; // https://api.storekit.itunes.apple.com or its sandbox
        QString issuerId;
        QString keyId;
        QString bundleId;
        ProviderHttp::Options http = {};
    };
    struct Status // of one subscription: its newest transaction
    {
        QByteArray transaction;
        QByteArray renewal;
    };
    template <class T>
    using Then = std::function<void(const Result<T> &)>;

    AppleApi(const Clock &clock, Options options, jose::JwsKey key, QObject *parent = nullptr);

    void transaction(const QString &id, const Then<QByteArray> &then);
    // The subscriptions of whoever made the transaction.
    void statuses(const QString &id, const Then<QList<Status>> &then);
    // Everything that customer bought of us, oldest first; `query` narrows it ("productType=AUTO_RENEWABLE").
    void history(const QString &id, const QString &query, const Then<QList<QByteArray>> &then);
    void refunds(const QString &id, const Then<QList<QByteArray>> &then);
    // The notifications sent in [from, to), received or not; at most 180 days back.
    void notifications(const QDateTime &from, const QDateTime &to, const Then<QList<QByteArray>> &then);
    void sendConsumption(const QString &transaction, const QJsonObject &said, const Then<bool> &then);

    static constexpr int mostPages = 500; // of one list
    static constexpr int tokenLife_s = 1200; // Apple takes an hour at most
    static constexpr int tokenSpare_s = 120;

private:
    struct Pages;
    void ask(const HttpCall &call, const Then<QJsonObject> &then);
    void nextPage(const std::shared_ptr<Pages> &pages);
    void takePage(const std::shared_ptr<Pages> &pages, const QJsonObject &answer);
    HttpCall get(const QString &path, const QString &query = {}) const;
    QByteArray bearer();

    const Clock &m_clock;
    const Options m_options;
    const jose::JwsKey m_key;
    ProviderHttp m_http;
    QByteArray m_token;
    QDateTime m_tokenUntil;
};

} // namespace companion::payments
