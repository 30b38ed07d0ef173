#pragma once

#include <QHash>
#include <QJsonObject>
#include <QObject>
#include <QTcpServer>
#include <QUrl>
#include <memory>

struct evp_pkey_st;

namespace companion::test {

// What signs ID tokens and publishes the certificates: real RSA keys, real X.509, a real HTTP server on the loopback.
// Keys come and go as a test says; so do the answers' status, headers, body and delay.
class FakeFirebase : public QObject
{
    Q_OBJECT
public:
    explicit FakeFirebase(const QString &project = QStringLiteral("demo-companion"), QObject *parent = nullptr);
    ~FakeFirebase() override;

    QString project() const { return m_project; }
    QUrl url() const; // of the certificates
    int asked() const { return m_asked; }

    void addKey(const QString &id, int bits = 2048, int validFor_days = 16); // published at once
    void hide(const QString &id);   // signs on, but is not published
    void remove(const QString &id); // published no more
    QByteArray certificate(const QString &id) const;
    QByteArray publicKey(const QString &id) const; // PEM, as an attacker would use it for a secret

    QJsonObject claims(qint64 now_s) const; // good ones
    static QJsonObject header(const QString &keyId);
    QByteArray sign(const QJsonObject &header, const QByteArray &payload, const QString &keyId) const; // RS256
    QByteArray sign(const QByteArray &header, const QByteArray &payload, const QString &keyId) const;
    QByteArray token(const QString &keyId, const QJsonObject &claims) const;
    static QByteArray unsignedToken(const QJsonObject &claims); // the emulator's

    // The next answers.
    int status = 200;
    QByteArray cacheControl = "public, max-age=19302, must-revalidate, no-transform";
    QByteArray moreHeaders;  // each ended by CRLF
    QByteArray body;         // instead of the certificates
    int delay_ms = 0;        // -1: never
    bool listening = true;   // false: connections are closed at once

private:
    struct Key
    {
        std::shared_ptr<evp_pkey_st> pair;
        QByteArray certificate;
        bool published = true;
    };
    void answer(QTcpSocket *socket);
    QByteArray published() const;

    QString m_project;
    QTcpServer m_server;
    QHash<QString, Key> m_keys;
    int m_asked = 0;
};

// Tokens and what must become of each. `stricter`: the vendor's SDK accepts it, we do not.
struct FirebaseCase
{
    QString name;
    QByteArray token;
    bool accepted = false;
    bool stricter = false;
};
// Needs the keys "key-1" and "key-2" published, "hidden" hidden, and "weak" of 1024 bits.
QList<FirebaseCase> firebaseCases(const FakeFirebase &firebase, qint64 now_s);

} // namespace companion::test
