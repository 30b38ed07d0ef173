#pragma once

#include "payments/ProviderHttp.h"

#include <QElapsedTimer>
#include <QJsonObject>

namespace companion::payments::stripe {

// The fields and their places are read as of this version (its name at Stripe); every call names it.
inline constexpr const char *apiVersion = "2026-10-28.endive";

// Parameters of a call, nested the way Stripe writes it: {"metadata[user]", "…"}, {"items[0][price]", "…"}.
using Form = QList<std::pair<QString, QString>>;
QByteArray encoded(const Form &form); // application/x-www-form-urlencoded, UTF-8

struct Answer
{
    QJsonObject object;
    // A moment, in ms, that the object was certainly not read before: Stripe's clock at the answer less what the call
    // took, in whole seconds like an event's `created`, so that the two can be compared.
    qint64 version = 0;
    // The answer to an earlier call with this Idempotency-Key: true then, not necessarily now.
    bool replayed = false;
};

// What all of a list's pages hold; `version` is that of the first page.
struct Listed
{
    QList<QJsonObject> objects;
    qint64 version = 0;
};

// Stripe's API. Event-loop thread; answers later, once. Refusals:
//   not_found        there is no such object (log: the parameter it was named in)
//   conflict         Stripe refuses (a card was declined, nothing left to refund): detail is fit for a customer
//   provider_failed  no answer, 429 or 5xx to the end, our key is not accepted, an answer that is none
// The log holds Stripe's type, code, parameter and request id, and never the key.
class StripeApi : public QObject
{
    Q_OBJECT
public:
    template <class T>
    using Then = std::function<void(const Result<T> &)>;
    struct Options
    {
        QUrl base = QUrl(QStringLiteral("https://api.stripe.com"));
        QByteArray key;
        ProviderHttp::Options http = {};
        int mostPages = 2000; // of a list, of 100 each
    };

    explicit StripeApi(const Options &options, QObject *parent = nullptr);

    void get(const QString &path, const Form &query, const Then<Answer> &then);
    // Repeated with one and the same Idempotency-Key.
    void post(const QString &path, const Form &form, const QString &idempotencyKey, const Then<Answer> &then);
    void list(const QString &path, const Form &query, const Then<Listed> &then);

    // Why Stripe could not be asked the last time; empty: it answered, or was never asked.
    QString lastProblem() const { return m_lastProblem; }

    // Safe to be put into a path: what Stripe's ids are made of.
    static bool isId(const QString &id, const char *prefix);

private:
    void send(const HttpCall &call, const Then<Answer> &then);
    void nextPage(const QString &path, const Form &query, const QString &after, int page,
                  const std::shared_ptr<Listed> &listed, const Then<Listed> &then);
    QUrl url(const QString &path, const Form &query) const;

    Options m_options;
    ProviderHttp m_http;
    QString m_lastProblem;
};

} // namespace companion::payments::stripe
