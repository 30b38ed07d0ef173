#pragma once

#include "common/Clock.h"
#include "jose/Jws.h"
#include "payments/ProviderHttp.h"

#include <QJsonObject>

#include <expected>
#include <vector>

namespace companion::payments {

// A service account as its key file has it.
struct GoogleAccount
{
    QString email;
    QString keyId;
    QUrl tokenUrl;
    jose::JwsKey key;

    // The file's JSON text; unexpected: in words what is wrong, with nothing of it.
    static std::expected<GoogleAccount, QString> read(const QByteArray &json);
};

// The Google Play Developer API as a service account: a JWT (RS256) is changed for an access token, which is kept until
// a minute before its end. Loop thread; answers come later, once. not_found: Google knows no such purchase or order (or
// no more). provider_failed: it did not answer, or refused us; its log holds the status and Google's reason.
class GoogleApi : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QUrl base; // https://androidpublisher.googleapis.com
        QString packageName;
        ProviderHttp::Options http = {};
    };
    struct Voided
    {
        QString token;
        QString order;
    };
    template <class T>
    using Then = std::function<void(const Result<T> &)>;

    GoogleApi(const Clock &clock, Options options, GoogleAccount account, QObject *parent = nullptr);

    void subscription(const QString &token, const Then<QJsonObject> &then);
    void product(const QString &productId, const QString &token, const Then<QJsonObject> &then);
    void order(const QString &id, const Then<QJsonObject> &then);
    void voided(const QDateTime &from, const QDateTime &to, const Then<QList<Voided>> &then);
    // Within three days of a purchase, or Google pays it back. Consuming acknowledges, too.
    void acknowledge(const QString &subscription, const QString &token, const Then<bool> &then);
    void consume(const QString &productId, const QString &token, const Then<bool> &then);
    void cancel(const QString &subscription, const QString &token, const Then<bool> &then);
    void refund(const QString &order, const Then<bool> &then); // wholly, and takes back what was bought

    static constexpr int mostPages = 200;

private:
    using Call = std::function<void(const Result<QByteArray> &token)>;
    struct VoidedPages;
    void withToken(const Call &call);
    void fetchToken();
    void ask(const HttpCall &call, bool isFirst, const Then<QJsonObject> &then);
    void tell(const QString &path, const Then<bool> &then);
    void nextVoided(const std::shared_ptr<VoidedPages> &pages);
    HttpCall callFor(const QByteArray &method, const QString &path, const QString &query = {}) const;

    const Clock &m_clock;
    const Options m_options;
    const GoogleAccount m_account;
    ProviderHttp m_http;
    QByteArray m_token;
    QDateTime m_tokenUntil;
    std::vector<Call> m_waiting; // for the token that is being fetched
};

} // namespace companion::payments
