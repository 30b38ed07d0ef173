#include "payments/sandbox/SandboxProvider.h"

#include <QJsonDocument>
#include <QMessageAuthenticationCode>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr int lookEvery_ms = 1000;
constexpr int sendBatch = 20;

std::unexpected<Refusal> notBelieved(const QString &why)
{
    return std::unexpected(
        Refusal{.code = ErrorCode::MalformedRequest, .detail = u"This webhook is not believed."_s, .log = why});
}

bool sameBytes(const QByteArray &a, const QByteArray &b)
{
    if (a.size() != b.size())
        return false;
    unsigned char differences = 0;
    for (qsizetype i = 0; i < a.size(); ++i)
        differences |= static_cast<unsigned char>(a[i] ^ b[i]);
    return differences == 0;
}

} // namespace

QByteArray sandboxSignature(const QByteArray &secret, const QByteArray &body, qint64 time_s)
{
    const QByteArray time = QByteArray::number(time_s);
    QMessageAuthenticationCode mac(QCryptographicHash::Sha256, secret);
    mac.addData(time + '.' + body);
    return "t=" + time + ",v1=" + mac.result().toHex();
}

SandboxProvider::SandboxProvider(db::Workers &operators, const QByteArray &secret, QObject *parent)
    : PaymentProvider(parent)
    , m_operators(operators)
    , m_secret(secret)
    , m_http({.attempts = 1, .timeout = std::chrono::seconds(10)})
{
    m_timer.setInterval(lookEvery_ms);
    connect(&m_timer, &QTimer::timeout, this, &SandboxProvider::sendNow);
}

void SandboxProvider::open(const QString &publicUrl, const QUrl &ownUrl)
{
    m_publicUrl = publicUrl;
    m_webhooks = ownUrl.resolved(QUrl(u"/api/v1/webhooks/sandbox"_s));
    m_timer.start();
}

void SandboxProvider::close()
{
    m_timer.stop();
}

void SandboxProvider::sendNow()
{
    if (m_looking || !m_timer.isActive())
        return;
    m_looking = true;
    m_operators.act(
        this, [world = m_world](db::Session &db) { return world.takeDue(db, sendBatch); },
        [this](const Result<QList<DueWebhook>> &due) {
            m_looking = false;
            for (const DueWebhook &webhook : due.value_or(QList<DueWebhook>()))
                send(webhook);
        });
}

void SandboxProvider::send(const DueWebhook &webhook)
{
    const qint64 time_s = QDateTime::currentSecsSinceEpoch();
    m_http.send({.method = "POST",
                 .url = m_webhooks,
                 .headers = {{"Sandbox-Signature", sandboxSignature(m_secret, webhook.body, time_s)}},
                 .body = webhook.body,
                 .contentType = "application/json"},
                [this, webhook](const Result<HttpAnswer> &answer) {
                    const bool arrived = answer && answer->status >= 200 && answer->status < 300;
                    const QString error = answer ? u"status %1"_s.arg(answer->status) : QString(answer.error().log);
                    m_operators.act([world = m_world, webhook, arrived, error](db::Session &db) {
                        arrived ? world.delivered(db, webhook.id)
                                : world.failed(db, webhook.id, webhook.attempts, error);
                    });
                });
}

void SandboxProvider::verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then)
{
    then(verified(webhook, now));
}

Result<ProviderEvent> SandboxProvider::verified(const Webhook &webhook, const QDateTime &now) const
{
    qint64 time_s = 0;
    QList<QByteArray> signatures;
    for (const QByteArray &part : webhook.header("Sandbox-Signature").split(',')) {
        if (part.startsWith("t="))
            time_s = part.mid(2).toLongLong();
        else if (part.startsWith("v1="))
            signatures.append(part);
    }
    const QByteArray whole = sandboxSignature(m_secret, webhook.body, time_s);
    const QByteArray wanted = whole.mid(whole.indexOf(',') + 1);
    bool matches = false;
    for (const QByteArray &signature : signatures)
        matches = matches || sameBytes(signature, wanted);
    if (!matches)
        return notBelieved(u"forged: the signature does not fit the body"_s);
    if (std::abs(now.toSecsSinceEpoch() - time_s) > tolerance_s)
        return notBelieved(u"stale: signed %1 s from now"_s.arg(now.toSecsSinceEpoch() - time_s));

    const QJsonObject object = QJsonDocument::fromJson(webhook.body).object();
    if (object[u"environment"_s] != "sandbox"_L1)
        return notBelieved(u"of another environment"_s);
    const auto facts = fromJson<FactList>(object[u"facts"_s].toObject());
    const auto createdAt = json::parseTime(object[u"created_at"_s].toString());
    const QString id = object[u"id"_s].toString();
    if (!facts || !createdAt || id.isEmpty() || id.size() > 255)
        return notBelieved(u"unreadable"_s);
    return ProviderEvent{id, object[u"type"_s].toString(), *createdAt, *facts, {}};
}

void SandboxProvider::createCheckout(const CheckoutOrder &order, const Then<Checkout> &then)
{
    m_operators.act(
        this, [world = m_world, order](db::Session &db) { return world.openCheckout(db, order); },
        [this, then](const Result<QString> &id) {
            if (!id)
                return then(std::unexpected(id.error()));
            then(Checkout{{*id}, QString(m_publicUrl + u"/sandbox/checkout/"_s + *id)});
        });
}

template <class Work>
void SandboxProvider::ask(const Then<FactList> &then, Work work)
{
    m_operators.act(this, std::move(work), [this, then](const Result<FactList> &facts) {
        then(facts);
        sendNow();
    });
}

void SandboxProvider::cancel(const SubscriptionOrder &order, const Then<FactList> &then)
{
    ask(then, [world = m_world, order](db::Session &db) { return world.cancel(db, order); });
}

void SandboxProvider::upgrade(const SubscriptionOrder &order, const Then<FactList> &then)
{
    ask(then, [world = m_world, order](db::Session &db) { return world.upgrade(db, order); });
}

void SandboxProvider::downgrade(const SubscriptionOrder &order, const Then<FactList> &then)
{
    ask(then, [world = m_world, order](db::Session &db) { return world.downgrade(db, order); });
}

void SandboxProvider::refund(const RefundOrder &order, const Then<FactList> &then)
{
    ask(then, [world = m_world, order](db::Session &db) { return world.refund(db, order); });
}

void SandboxProvider::listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then)
{
    ask(then,
        [world = m_world, from, to](db::Session &db) -> Result<FactList> { return world.payments(db, from, to); });
}

void SandboxProvider::fetchSubscription(const QString &reference, const Then<FactList> &then)
{
    ask(then, [world = m_world, reference](db::Session &db) { return world.subscription(db, reference); });
}

} // namespace companion::payments
