#pragma once

#include "fakes/FakeWire.h"
#include "jose/Jws.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonObject>
#include <QMap>

#include <memory>

namespace companion::test {

// Google: customers buy on Play, and it tells what it always tells, by Pub/Sub pushes signed with a published key, by
// the Developer API and its token endpoint, on the real wire. Amounts in minor units of USD. Everything that happens
// returns the push's body.
class FakeGoogle : public QObject
{
    Q_OBJECT
public:
    // RSA keys take their time: all of one name in a program have the same.
    explicit FakeGoogle(std::function<QDateTime()> now, const QByteArray &keys = "google", QObject *parent = nullptr);

    QUrl url() const { return m_wire.url(); }
    QUrl certificatesUrl() const { return m_wire.url().resolved(QUrl(QStringLiteral("/certs"))); }
    FakeWire &wire() { return m_wire; }
    QByteArray serviceAccountJson() const;

    QString packageName = QStringLiteral("com.example.companion");
    QString audience = QStringLiteral("https://companion.example.com/api/v1/webhooks/google");
    QString pusher = QStringLiteral("push@demo.iam.gserviceaccount.com");
    QString account = QStringLiteral("play@demo.iam.gserviceaccount.com");
    int tokens = 0; // access tokens given
    int unauthorized = 0;
    int refuseAcknowledging = 0; // the next so many are answered 500
    bool withdrawToken = false; // the next call's token is refused

    // The pushing.
    QJsonObject claims() const;
    QByteArray authorization() const { return authorization(claims()); }
    QByteArray authorization(const QJsonObject &claims) const;
    QByteArray bearer(const QByteArray &header, const QByteArray &payload) const; // signed RS256 whatever it says
    static QByteArray segments(const QByteArray &header, const QByteArray &payload);
    QByteArray publicKeyPem() const;
    QByteArray certificatePem() const { return m_certificate; }
    QByteArray push(const QJsonObject &change);
    QByteArray pushSubscription(int type, const QString &token);
    QByteArray pushTest()
    {
        return push(
            {{QStringLiteral("testNotification"), QJsonObject{{QStringLiteral("version"), QStringLiteral("1.0")}}}});
    }

    // `user` empty: the app set no account id.
    QByteArray buy(const QString &product, const QString &user, qint64 minor, int quantity = 1);
    QByteArray subscribe(const QString &product, const QString &user, qint64 minor, const QString &linked = {},
                         bool trial = false);
    QByteArray renew(const QString &token);
    QByteArray enterGrace(const QString &token, int days);
    QByteArray putOnHold(const QString &token);
    QByteArray cancel(const QString &token);
    QByteArray restart(const QString &token);
    QByteArray expire(const QString &token);
    QByteArray defer(const QString &token, const QString &product); // a downgrade at the period's end
    QByteArray refundPartly(const QString &order, qint64 minor);
    QByteArray refund(const QString &order);

    QString lastToken() const { return m_lastToken; }
    QString lastOrder() const { return m_lastOrder; }
    QString orderOf(const QString &token) const;
    QJsonObject &subscription(const QString &token) { return m_subscriptions[token]; }
    QJsonObject &sale(const QString &token) { return m_sales[token]; }
    QJsonObject &order(const QString &id) { return m_orders[id]; }

private:
    FakeWire::Answer answer(const FakeWire::Request &request);
    FakeWire::Answer api(const FakeWire::Request &request, const QString &what);
    FakeWire::Answer act(const QString &what);
    FakeWire::Answer giveToken(const FakeWire::Request &request);
    FakeWire::Answer voidedPage(const QUrlQuery &query) const;
    QString addOrder(const QString &id, const QString &token, const QString &product, qint64 minor);
    void voidOrder(const QString &order);
    QString stamp(const QDateTime &time) const { return time.toString(Qt::ISODateWithMs); }
    void changeItem(const QString &token, const std::function<void(QJsonObject &)> &change);

    std::function<QDateTime()> m_now;
    std::shared_ptr<struct evp_pkey_st> m_pushKey;
    std::shared_ptr<struct evp_pkey_st> m_accountKey;
    QByteArray m_certificate;
    QMap<QString, QJsonObject> m_sales;
    QMap<QString, QJsonObject> m_subscriptions;
    QMap<QString, QJsonObject> m_orders;
    QJsonArray m_voided;
    QString m_lastToken;
    QString m_lastOrder;
    QByteArray m_accessToken;
    QDateTime m_tokenUntil;
    int m_number = 0;
    FakeWire m_wire;
};

} // namespace companion::test
