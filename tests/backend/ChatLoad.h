#pragma once

#include "backend/HttpCall.h"
#include "db/Session.h"

#include <QRandomGenerator>
#include <QTimer>
#include <memory>
#include <vector>

namespace companion::test {

// What a client was told at one try of its order.
struct Attempt
{
    enum class Seen { Nothing, Settled, Failed, Refused }; // nothing: it left, or the connection broke
    Seen seen = Seen::Nothing;
    QByteArray message; // where the head of the answer named it
    QString content;
    QString amount; // settled: the charge
    int status = 0;
    QString code;
    bool replayed = false;
};

// One reply that a client wants: its words are found again in the database by `nonce`.
struct Order
{
    QString nonce;
    qsizetype person = 0;
    bool openAi = false; // the stateless door
    bool stream = false;
    QJsonObject body;
    QByteArray key; // idempotency; empty: none
    QList<Attempt> attempts;

    QString path() const;
    bool isOpen() const; // nothing final was seen, and the same may be asked again
};

// Many clients who chat at once, each with a will of its own: streaming or not, at both doors, with and without
// idempotency keys, some leaving at any moment, pressing stop, or asking the same again. The model is a FakeLlm, which
// does what their words tell it. They remember all they were told, and breaches() holds that against the database.
class ChatLoad : public QObject
{
    Q_OBJECT
public:
    // Makes the people (in the database, as the owner) with a session for each chatter.
    ChatLoad(const db::Target &owner, int people, int chattersEach = 2);
    ~ChatLoad() override;

    void signIn(QList<quint16> ports); // fresh tokens and, once, the sessions; each client takes one of the ports
    void start(quint32 seed); // from now on they chat
    void finish(); // nobody begins anew; the rest comes to its end (or the connections have ended already)
    // What broke is asked again, by key or by the reply's id, until it is answered for good.
    void recover(int wait_ms = 15'000);
    QStringList breaches(db::Session &owner) const;

    int orders() const { return static_cast<int>(m_orders.size()); }
    int settled(int fromOrder = 0) const; // replies that clients saw whole
    QString summary() const; // how many of what

private:
    friend class Chatter;
    struct Member
    {
        QString accessKey;
        Person person;
        QStringList sessions;
    };
    void makePeople(const db::Target &owner, int people);
    Order &newOrder(qsizetype person, const QString &session);
    quint16 anyPort();
    quint32 random(quint32 below) { return m_random.bounded(below); }
    QString script();
    static Attempt read(const HttpCall &call, const Order &order);
    QStringList breachesOf(const Order &order, const QHash<QString, db::Row> &turns,
                           const QMultiHash<QString, QString> &byNonce) const;

    int m_chattersEach;
    QList<quint16> m_ports;
    std::vector<Member> m_people;
    std::vector<std::unique_ptr<Order>> m_orders;
    std::vector<std::unique_ptr<QObject>> m_chatters;
    QRandomGenerator m_random;
    quint32 m_seed = 0;
    bool m_running = false;
    int m_busy = 0;
};

} // namespace companion::test
