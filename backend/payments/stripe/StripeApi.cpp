#include "payments/stripe/StripeApi.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocale>

#include <algorithm>

namespace companion::payments::stripe {

using namespace Qt::StringLiterals;

namespace {

constexpr int pageSize = 100;

ProviderHttp::Options withVerdict(ProviderHttp::Options options)
{
    options.verdictHeader = "Stripe-Should-Retry";
    return options;
}

qint64 versionOf(const HttpAnswer &answer, qint64 took_ms)
{
    const QDateTime date = QLocale::c().toDateTime(QString::fromLatin1(answer.header("Date")).section(u' ', 1, 4),
                                                   u"dd MMM yyyy HH:mm:ss"_s);
    if (!date.isValid())
        return 0; // never newer than anything
    return (QDateTime(date.date(), date.time(), Qt::UTC).toMSecsSinceEpoch() - took_ms) / 1000 * 1000;
}

// "invalid_request_error resource_missing at customer (req_123)"
QString inShort(const QJsonObject &error, const HttpAnswer &answer)
{
    QString text = u"Stripe answered %1: %2 %3"_s.arg(QString::number(answer.status),
                                                      error[u"type"_s].toString(u"no error object"_s),
                                                      error[u"code"_s].toString());
    if (error.contains(u"param"_s))
        text += u" at "_s + error[u"param"_s].toString();
    if (error.contains(u"decline_code"_s))
        text += u" declined: "_s + error[u"decline_code"_s].toString();
    if (const QByteArray id = answer.header("Request-Id"); !id.isEmpty())
        text += u" ("_s + QString::fromLatin1(id) + u')';
    return text.left(400);
}

Refusal refusalOf(const HttpAnswer &answer)
{
    const QJsonObject error = QJsonDocument::fromJson(answer.body).object()[u"error"_s].toObject();
    const QString log = inShort(error, answer);
    const QString code = error[u"code"_s].toString();
    if (answer.status == 404 || code == "resource_missing"_L1)
        return {.code = ErrorCode::NotFound, .detail = u"The payment provider does not know it."_s, .log = log};
    if (answer.status == 402) // meant for the customer: "Your card was declined."
        return {.code = ErrorCode::Conflict, .detail = error[u"message"_s].toString().left(300), .log = log};
    const bool refused = answer.status == 400 && !error.isEmpty();
    if (refused && code == "charge_already_refunded"_L1)
        return {.code = ErrorCode::Conflict, .detail = u"It is refunded already at Stripe."_s, .log = log};
    if (refused)
        return {.code = ErrorCode::Conflict, .detail = u"The payment provider refuses this."_s, .log = log};
    return {.code = ErrorCode::ProviderFailed, .detail = u"The payment provider does not answer."_s, .log = log};
}

} // namespace

QByteArray encoded(const Form &form)
{
    QByteArrayList parts;
    for (const auto &[name, value] : form)
        parts.append(QUrl::toPercentEncoding(name) + '=' + QUrl::toPercentEncoding(value));
    return parts.join('&');
}

StripeApi::StripeApi(const Options &options, QObject *parent)
    : QObject(parent)
    , m_options(options)
    , m_http(withVerdict(options.http))
{
}

bool StripeApi::isId(const QString &id, const char *prefix)
{
    return id.startsWith(QLatin1StringView(prefix)) && id.size() <= 255
        && std::ranges::all_of(id, [](QChar c) { return c.unicode() < 128 && (c.isLetterOrNumber() || c == u'_'); });
}

QUrl StripeApi::url(const QString &path, const Form &query) const
{
    QUrl url = m_options.base;
    url.setPath(url.path() + u"/v1/"_s + path);
    if (!query.isEmpty())
        url.setQuery(QString::fromLatin1(encoded(query)), QUrl::StrictMode);
    return url;
}

void StripeApi::get(const QString &path, const Form &query, const Then<Answer> &then)
{
    send({.method = "GET", .url = url(path, query)}, then);
}

void StripeApi::post(const QString &path, const Form &form, const QString &idempotencyKey, const Then<Answer> &then)
{
    send({.method = "POST",
          .url = url(path, {}),
          .body = encoded(form),
          .contentType = "application/x-www-form-urlencoded",
          .idempotencyKey = idempotencyKey.toUtf8()},
         then);
}

void StripeApi::send(const HttpCall &call, const Then<Answer> &then)
{
    HttpCall whole = call;
    whole.headers = {{"Authorization", "Bearer " + m_options.key}, {"Stripe-Version", apiVersion}};
    QElapsedTimer since;
    since.start();
    m_http.send(whole, [this, then, since](const Result<HttpAnswer> &answer) {
        const auto document = answer ? QJsonDocument::fromJson(answer->body) : QJsonDocument();
        if (!answer || answer->status != 200 || !document.isObject()) {
            const Refusal refusal = answer ? refusalOf(*answer) : answer.error();
            m_lastProblem = refusal.code == ErrorCode::ProviderFailed ? refusal.log : QString();
            return then(std::unexpected(refusal));
        }
        m_lastProblem.clear();
        then(Answer{document.object(), versionOf(*answer, since.elapsed()),
                    answer->header("Idempotent-Replayed") == "true"});
    });
}

void StripeApi::list(const QString &path, const Form &query, const Then<Listed> &then)
{
    nextPage(path, query + Form{{u"limit"_s, QString::number(pageSize)}}, {}, 1, std::make_shared<Listed>(), then);
}

void StripeApi::nextPage(const QString &path, const Form &query, const QString &after, int page,
                         const std::shared_ptr<Listed> &listed, const Then<Listed> &then)
{
    const Form whole = after.isEmpty() ? query : query + Form{{u"starting_after"_s, after}};
    get(path, whole, [=, this](const Result<Answer> &answer) {
        if (!answer)
            return then(std::unexpected(answer.error()));
        if (page == 1)
            listed->version = answer->version;
        for (const auto &value : answer->object[u"data"_s].toArray())
            listed->objects.append(value.toObject());
        const QString last = listed->objects.isEmpty() ? QString() : listed->objects.last()[u"id"_s].toString();
        if (!answer->object[u"has_more"_s].toBool())
            return then(*listed);
        if (last.isEmpty() || last == after || page >= m_options.mostPages)
            return then(std::unexpected(Refusal{.code = ErrorCode::ProviderFailed,
                                                .detail = u"The payment provider does not answer."_s,
                                                .log = u"Stripe's list %1 does not end"_s.arg(path)}));
        nextPage(path, query, last, page + 1, listed, then);
    });
}

} // namespace companion::payments::stripe
