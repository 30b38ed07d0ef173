#pragma once

#include "fakes/FakeWire.h"

#include <QDateTime>
#include <QJsonObject>
#include <QMap>

#include <memory>

struct evp_pkey_st;
struct x509_st;

namespace companion::test {

// A certificate chain as the App Store's: a root and an intermediate on P-384, a leaf on P-256 with Apple's two OIDs.
// What a test wants otherwise it says.
class AppleChain
{
public:
    struct Shape
    {
        bool leafOid = true;
        bool intermediateOid = true;
        bool intermediateIsAuthority = true;
        bool leafFromIntermediate = true; // else signed by a stranger of the same name
        QByteArray curve = "P-256"; // of the leaf
        QDateTime leafFrom = QDateTime(QDate(2025, 1, 1), QTime(0, 0), Qt::UTC);
        QDateTime leafUntil = QDateTime(QDate(2035, 1, 1), QTime(0, 0), Qt::UTC);
        QDateTime intermediateUntil = QDateTime(QDate(2036, 1, 1), QTime(0, 0), Qt::UTC);
    };
    struct Cert
    {
        std::shared_ptr<evp_pkey_st> key;
        std::shared_ptr<x509_st> x509;
        QByteArray der() const;
        QByteArray pem() const;
        QByteArray privatePem() const;
    };

    static Cert makeRoot(const QByteArray &name = "Test Root CA - G3");
    AppleChain(const Cert &root, const Shape &shape);
    static AppleChain usual(const Cert &root) { return AppleChain(root, Shape()); }

    const Cert &root() const { return m_root; }
    const Cert &intermediate() const { return m_intermediate; }
    const Cert &leaf() const { return m_leaf; }
    QList<QByteArray> x5c() const; // leaf, intermediate, root; DER

    // A compact JWS of the leaf's, ES256, with the x5c given.
    QByteArray sign(const QJsonObject &payload) const { return sign(payload, x5c()); }
    QByteArray sign(const QJsonObject &payload, const QList<QByteArray> &x5c, const QByteArray &algorithm = "ES256",
                    const std::shared_ptr<evp_pkey_st> &key = {}) const;

private:
    Cert m_root;
    Cert m_intermediate;
    Cert m_leaf;
};

// The App Store: customers buy in it, and it tells what it always tells, by notifications and by its server API, on the
// real wire. Prices in thousandths. Everything that happens returns the notification's signedPayload.
class FakeApple : public QObject
{
    Q_OBJECT
public:
    explicit FakeApple(std::function<QDateTime()> now, QObject *parent = nullptr);

    QUrl url() const { return m_wire.url(); }
    FakeWire &wire() { return m_wire; }
    const AppleChain &chain() const { return m_chain; }
    QByteArray rootPem() const { return m_chain.root().pem(); }
    QByteArray apiKeyPem() const; // what the customer of the API signs with

    QString bundleId = QStringLiteral("com.example.companion");
    qint64 appId = 1234567890;
    QString environment = QStringLiteral("Production");
    QString issuerId = QStringLiteral("57246542-96fe-1a63-e053-0824d011072a");
    QString keyId = QStringLiteral("2X9R4HXF34");
    int pageSize = 2;
    int unauthorized = 0; // requests whose token was wrong
    QList<QJsonObject> consumption; // what was sent; with the transaction's id under "id"

    // `user` empty: the app set no appAccountToken.
    QByteArray buy(const QString &product, const QString &user, qint64 price_milli, int quantity = 1,
                   const QString &currency = QStringLiteral("USD"));
    QByteArray subscribe(const QString &product, const QString &user, qint64 price_milli, bool trial = false);
    QByteArray renew();
    QByteArray failRenewal(int grace_days);
    QByteArray endGrace();
    QByteArray expire();
    QByteArray setRenewal(bool renews);
    QByteArray changeTo(const QString &product, bool atOnce, qint64 price_milli);
    QByteArray refund(const QString &transaction, int milliPercent = 100'000);
    QByteArray reverseRefund(const QString &transaction);
    QByteArray askForConsumption(const QString &transaction);
    QByteArray test();

    QString lastTransaction() const { return m_last; } // the newest one's id: what happens next happens to it
    void goOn(const QString &transaction) { m_last = transaction; }
    QByteArray transactionJws(const QString &id) const;
    QJsonObject &transaction(const QString &id) { return m_transactions[id]; }
    QByteArray notify(const QString &type, const QString &subtype, const QString &transaction);
    QJsonObject notification(const QString &type, const QString &subtype, const QString &transaction) const;
    static QByteArray bodyOf(const QByteArray &signedPayload);

private:
    FakeWire::Answer answer(const FakeWire::Request &request);
    bool isAuthorized(const QByteArray &header) const;
    QByteArray page(const QList<QByteArray> &all, const QString &at, const char *list, const char *cursor,
                    const char *wrapped = nullptr) const;
    QList<QByteArray> boughtBy(const QString &id, bool refundedOnly) const;
    QString add(const QString &product, const QString &type, const QString &user, qint64 price_milli);
    QByteArray renewalJws(const QString &original) const;
    qint64 now_ms() const { return m_now().toMSecsSinceEpoch(); }

    std::function<QDateTime()> m_now;
    AppleChain m_chain;
    AppleChain::Cert m_apiKey;
    QMap<QString, QJsonObject> m_transactions;
    QJsonObject m_renewal; // of the one subscription
    QList<std::pair<qint64, QByteArray>> m_sent;
    QString m_last;
    qint64 m_number = 2'000'000'000'000'000;
    FakeWire m_wire;
};

// JWS and what must become of each; `kind` is what it is read as.
struct AppleCase
{
    QString name;
    QString kind; // notification, transaction, renewal
    QByteArray jws;
    bool accepted = false;
    bool stricter = false; // the vendor's library accepts it, we do not
};
QList<AppleCase> appleCases(FakeApple &apple);

} // namespace companion::test
