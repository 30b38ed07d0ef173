#pragma once

#include <QHash>
#include <QJsonArray>
#include <QJsonObject>
#include <QMap>
#include <QObject>
#include <QTcpServer>
#include <QUrl>
#include <deque>
#include <functional>

class QTcpSocket;

namespace companion::test {

// A form's parameters by their names as written ("items[0][price]", "expand[]").
using FormFields = QList<std::pair<QString, QString>>;

struct StripeCall
{
    QByteArray method;
    QString path; // without /v1/
    FormFields fields; // of the query or the body
    QMap<QByteArray, QByteArray> headers; // names in lower case

    QString field(const QString &name, const QString &fallback = {}) const;
    bool has(const QString &name) const;
    QStringList values(const QString &name) const; // name[], name[0], name[1] …
    QJsonObject map(const QString &name) const;    // name[key]
};

struct StripeReply
{
    int status = 200;
    QJsonObject body;
};

// What the next calls meet before or instead of an answer.
struct StripeFault
{
    enum class Kind {
        Status,      // is answered, nothing is done
        StatusAfter, // is done, and this is answered and remembered (as a real 500 is)
        HangUp,      // nothing is done
        HangUpAfter, // is done
        Cut,         // is done, and half of the answer is sent
        Garbage,     // 200 and no JSON
        Huge,        // 200 and more than anybody reads
        Silence,     // never
    };
    Kind kind = Kind::Status;
    int status = 500;
    QByteArray headers; // each ended by CRLF
};

// Stripe as far as a shop needs it, API 2026-10-28, test mode: a real HTTP server on the loopback that takes the real
// form-encoded wire (strictly: unknown parameters, versions, keys are refused), with Idempotency-Key, expansion,
// pagination, errors, and a world of its own in which customers pay, cards fail and banks dispute. Every change makes
// events, which the test takes and signs. The official SDK is driven against it (tests/payments/stripe_sdk.cjs), and
// its answers are checked against the SDK's types.
class FakeStripe : public QObject
{
    Q_OBJECT
public:
    explicit FakeStripe(const std::function<qint64()> &now_s, QObject *parent = nullptr);

    QUrl url() const;
    static QByteArray key() { return "sk_test_51FakeFakeFake"; }
    static QByteArray signature(const QByteArray &secret, const QByteArray &body, qint64 time_s);

    // ------------------------------------------------------------------------------------- what the world does
    void pay(const QString &session);              // the card works
    void payLater(const QString &session);         // by a bank transfer that is under way …
    void settleLater(const QString &session, bool works); // … and comes, or not
    void expire(const QString &session);
    void renew(const QString &subscription);                // the period moves on, its invoice is made
    void collect(const QString &subscription, bool works);  // and is paid, or not: an hour later in life
    void giveUp(const QString &subscription);               // after the last attempt: canceled
    void endPeriod(const QString &subscription);            // of one that was canceled at the period's end
    void cancelNow(const QString &subscription);
    QString refund(const QString &charge, qint64 amount); // by a click in the dashboard
    void failRefund(const QString &refund);
    QString dispute(const QString &charge, const QString &status = QStringLiteral("needs_response"), qint64 amount = 0,
                    const QString &currency = {});
    void closeDispute(const QString &dispute, const QString &status);
    void forget(const QString &customer); // deleted in the dashboard
    void sell(const StripeCall &checkout);  // by another shop of the same account

    QList<QJsonObject> takeEvents(); // since the last call, in order
    QJsonObject madeEvent(const QString &type, const QJsonObject &object); // one of the test's own making
    QJsonObject object(const QString &id) const { return m_objects.value(id); }
    QString latest(const QString &kind) const { return m_order.value(kind).value(m_order.value(kind).size() - 1); }
    QString chargeOf(const QString &invoiceOrSession) const;
    int count(const QString &kind) const { return static_cast<int>(m_order.value(kind).size()); }

    QList<StripeCall> calls; // all that came
    std::deque<StripeFault> faults; // the next calls'
    bool cardsWork = true;
    int taxPercent = 0;
    QString settlesIn; // balance transactions' currency; empty: the charge's

private:
    struct Remembered
    {
        QByteArray print;
        StripeReply reply;
    };
    using Handler = StripeReply (FakeStripe::*)(const StripeCall &, const QString &id);
    struct Route
    {
        QByteArray method;
        QString path; // "*" is an id
        Handler handler;
        QString allowed; // a regular expression of the parameters' names
    };

    // FakeStripe.cpp: the wire
    void read(QTcpSocket *socket);
    void take(QTcpSocket *socket, const StripeCall &call);
    bool meetFault(QTcpSocket *socket, const StripeCall &call);
    StripeReply answer(const StripeCall &call, bool &replayed);
    StripeReply handle(const StripeCall &call);
    StripeReply act(const StripeCall &call); // /test/…: for programs that are no C++ test
    void write(QTcpSocket *socket, const StripeReply &reply, const QByteArray &headers);
    static StripeReply error(int status, const QString &type, const QString &code, const QString &message,
                             const QString &param = {});
    StripeReply missing(const QString &kind, const QString &id, const QString &param) const;

    // FakeStripeRoutes.cpp: the calls
    static const QList<Route> &routes();
    StripeReply shown(const StripeCall &call, QJsonObject object) const;
    StripeReply listed(const StripeCall &call, const QString &kind,
                       const std::function<bool(const QJsonObject &)> &fits = {}) const;
    QJsonValue expanded(const QJsonValue &value, QStringList path) const;
    StripeReply getOne(const StripeCall &call, const QString &id);
    StripeReply createCustomer(const StripeCall &call, const QString &);
    StripeReply createProduct(const StripeCall &call, const QString &);
    StripeReply createPrice(const StripeCall &call, const QString &);
    StripeReply updatePrice(const StripeCall &call, const QString &id);
    StripeReply listPrices(const StripeCall &call, const QString &);
    StripeReply createSession(const StripeCall &call, const QString &);
    StripeReply expireSession(const StripeCall &call, const QString &id);
    StripeReply createPortal(const StripeCall &call, const QString &);
    StripeReply updateSubscription(const StripeCall &call, const QString &id);
    StripeReply deleteSubscription(const StripeCall &call, const QString &id);
    StripeReply createRefund(const StripeCall &call, const QString &);
    StripeReply listCharges(const StripeCall &call, const QString &);
    StripeReply listRefunds(const StripeCall &call, const QString &);
    StripeReply listDisputes(const StripeCall &call, const QString &);
    StripeReply listCustomers(const StripeCall &call, const QString &);
    StripeReply listInvoices(const StripeCall &call, const QString &);
    StripeReply listEvents(const StripeCall &call, const QString &);
    StripeReply listInvoicePayments(const StripeCall &call, const QString &);

    // FakeStripeWorld.cpp
    QString newId(const QString &prefix);
    void put(const QJsonObject &object, const QString &kind);
    void change(const QString &id, const QJsonObject &fields);
    void announce(const QString &type, const QString &id);
    QJsonObject priceOf(const StripeCall &call, const QString &at, StripeReply &wrong);
    QString charge(qint64 amount, const QString &currency, const QString &customer, const QJsonObject &metadata);
    QString makeInvoice(const QString &subscription, const QString &reason, const QJsonArray &lines);
    void payInvoice(const QString &invoice);
    void failInvoice(const QString &invoice);
    QJsonObject line(const QString &subscription, const QJsonObject &price, qint64 amount, qint64 start, qint64 end,
                     bool proration) const;
    void beginSubscription(const QString &session);
    QString prorate(const QString &subscription, const QJsonObject &before, const QJsonObject &after);

    std::function<qint64()> m_now_s;
    QTcpServer m_server;
    QHash<QString, QJsonObject> m_objects;
    QHash<QString, QStringList> m_order; // ids by kind, oldest first
    QHash<QString, QJsonObject> m_hidden; // of sessions: what they were made of
    QHash<QByteArray, Remembered> m_remembered;
    int m_taken = 0; // events
    int m_number = 0;
};

} // namespace companion::test
