// The wire: HTTP, authorization, idempotency, faults.

#include "fakes/FakeStripe.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QLocale>
#include <QMessageAuthenticationCode>
#include <QRegularExpression>
#include <QTcpSocket>
#include <QUrlQuery>

#include <algorithm>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

constexpr const char *version = "2026-10-28.endive";

FormFields decoded(const QByteArray &form)
{
    FormFields fields;
    for (QByteArray part : form.split('&')) {
        if (part.isEmpty())
            continue;
        part.replace('+', ' ');
        const qsizetype equals = part.indexOf('=');
        fields.append(
            {QString::fromUtf8(QByteArray::fromPercentEncoding(equals < 0 ? part : part.left(equals))),
             equals < 0 ? QString() : QString::fromUtf8(QByteArray::fromPercentEncoding(part.mid(equals + 1)))});
    }
    return fields;
}

QByteArray httpDate(qint64 time_s)
{
    return QLocale::c()
        .toString(QDateTime::fromSecsSinceEpoch(time_s, Qt::UTC), u"ddd, dd MMM yyyy HH:mm:ss 'GMT'"_s)
        .toLatin1();
}

} // namespace

QString StripeCall::field(const QString &name, const QString &fallback) const
{
    for (const auto &[key, value] : fields)
        if (key == name)
            return value;
    return fallback;
}

bool StripeCall::has(const QString &name) const
{
    return std::ranges::any_of(fields, [&](const auto &field) { return field.first == name; });
}

QStringList StripeCall::values(const QString &name) const
{
    static const QRegularExpression index(u"^\\[\\d*\\]$"_s);
    QStringList found;
    for (const auto &[key, value] : fields)
        if (key.startsWith(name) && index.match(key.mid(name.size())).hasMatch())
            found.append(value);
    return found;
}

QJsonObject StripeCall::map(const QString &name) const
{
    QJsonObject found;
    for (const auto &[key, value] : fields)
        if (key.startsWith(QString(name + u'[')) && key.endsWith(u']'))
            found.insert(key.mid(name.size() + 1).chopped(1), value);
    return found;
}

FakeStripe::FakeStripe(const std::function<qint64()> &now_s, QObject *parent)
    : QObject(parent)
    , m_now_s(now_s)
{
    connect(&m_server, &QTcpServer::newConnection, this, [this] {
        while (QTcpSocket *socket = m_server.nextPendingConnection()) {
            connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
        }
    });
    m_server.listen(QHostAddress::LocalHost, 0);
}

QUrl FakeStripe::url() const
{
    return QUrl(u"http://127.0.0.1:%1"_s.arg(m_server.serverPort()));
}

QByteArray FakeStripe::signature(const QByteArray &secret, const QByteArray &body, qint64 time_s)
{
    const QByteArray time = QByteArray::number(time_s);
    return "t=" + time + ",v1="
        + QMessageAuthenticationCode::hash(QByteArray(time + '.' + body), secret, QCryptographicHash::Sha256).toHex();
}

void FakeStripe::read(QTcpSocket *socket)
{
    for (;;) {
        const QByteArray seen = socket->peek(1 << 20);
        const qsizetype end = seen.indexOf("\r\n\r\n");
        if (end < 0)
            return;
        const QByteArrayList lines = seen.left(end).split('\n');
        StripeCall call;
        for (const QByteArray &line : lines.mid(1))
            call.headers.insert(line.left(line.indexOf(':')).trimmed().toLower(),
                                line.mid(line.indexOf(':') + 1).trimmed());
        const qsizetype length = call.headers.value("content-length").toLongLong();
        if (seen.size() < end + 4 + length)
            return;
        const QByteArray body = socket->read(end + 4 + length).mid(end + 4);
        const QByteArrayList start = lines.first().trimmed().split(' ');
        const QByteArray target = start.value(1);
        const qsizetype query = target.indexOf('?');
        call.method = start.value(0);
        call.path = QString::fromUtf8(QByteArray::fromPercentEncoding(query < 0 ? target : target.left(query)));
        call.fields = decoded(query < 0 ? QByteArray() : target.mid(query + 1)) + decoded(body);
        take(socket, call);
        if (socket->state() != QAbstractSocket::ConnectedState)
            return;
    }
}

void FakeStripe::take(QTcpSocket *socket, const StripeCall &whole)
{
    if (whole.path.startsWith("/test/"_L1))
        return write(socket, act(whole), {});
    StripeCall call = whole;
    call.path = whole.path.startsWith("/v1/"_L1) ? whole.path.mid(4) : whole.path;
    calls.append(call);
    if (!faults.empty() && meetFault(socket, call))
        return;
    bool replayed = false;
    const StripeReply reply = answer(call, replayed);
    write(socket, reply, replayed ? "Idempotent-Replayed: true\r\n" : "");
}

bool FakeStripe::meetFault(QTcpSocket *socket, const StripeCall &call)
{
    using Kind = StripeFault::Kind;
    const StripeFault fault = faults.front();
    faults.pop_front();
    bool replayed = false;
    const QString type = fault.status == 429 ? u"rate_limit_error"_s : u"api_error"_s;
    const StripeReply failure =
        error(fault.status, type, fault.status == 429 ? u"rate_limit"_s : QString(), u"Sorry."_s);
    switch (fault.kind) {
    case Kind::Status:
        write(socket, failure, fault.headers);
        return true;
    case Kind::StatusAfter:
        (void)answer(call, replayed);
        write(socket, failure, fault.headers);
        return true;
    case Kind::HangUpAfter:
        (void)answer(call, replayed);
        socket->abort();
        return true;
    case Kind::HangUp:
        socket->abort();
        return true;
    case Kind::Cut:
        (void)answer(call, replayed);
        socket->write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":");
        socket->disconnectFromHost();
        return true;
    case Kind::Garbage:
        socket->write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html");
        return true;
    case Kind::Huge:
        socket->write("HTTP/1.1 200 OK\r\nContent-Length: 80000000\r\n\r\n" + QByteArray(8'000'000, ' '));
        return true;
    case Kind::Silence:
        return true;
    }
    return false;
}

// The same key, the same call: the first answer again. Refusals before anything is done are not remembered.
StripeReply FakeStripe::answer(const StripeCall &call, bool &replayed)
{
    const QByteArray key = call.headers.value("idempotency-key");
    if (call.method != "POST" || key.isEmpty())
        return handle(call);
    QByteArray print = call.path.toUtf8();
    for (const auto &[name, value] : call.fields)
        print += '\n' + name.toUtf8() + '=' + value.toUtf8();
    if (const auto known = m_remembered.constFind(key); known != m_remembered.cend()) {
        if (known->print != print)
            return error(
                400, u"idempotency_error"_s, {},
                u"Keys for idempotent requests can only be used with the same parameters they were first used with."_s);
        replayed = true;
        return known->reply;
    }
    const StripeReply reply = handle(call);
    if (reply.status == 200 || reply.status == 402)
        m_remembered.insert(key, {print, reply});
    return reply;
}

StripeReply FakeStripe::handle(const StripeCall &call)
{
    if (call.headers.value("authorization") != "Bearer " + key())
        return error(401, u"invalid_request_error"_s, {}, u"Invalid API Key provided: sk_test_***"_s);
    if (call.headers.value("stripe-version") != version)
        return error(400, u"invalid_request_error"_s, {}, u"Invalid Stripe API version"_s);
    if (call.method == "POST" && !call.fields.isEmpty()
        && call.headers.value("content-type") != "application/x-www-form-urlencoded")
        return error(400, u"invalid_request_error"_s, {}, u"Invalid request: unsupported content type"_s);
    for (const Route &route : routes()) {
        const QRegularExpression path(
            QRegularExpression::anchoredPattern(QString(route.path).replace(u'*', "([A-Za-z0-9_]+)"_L1)));
        const auto match = path.match(call.path);
        if (route.method != call.method || !match.hasMatch())
            continue;
        const QRegularExpression allowed(QRegularExpression::anchoredPattern(
            QString(u"expand\\[\\d*\\]"_s + (route.allowed.isEmpty() ? QString() : QString(u'|' + route.allowed)))));
        for (const auto &[name, value] : call.fields)
            if (!allowed.match(name).hasMatch())
                return error(400, u"invalid_request_error"_s, u"parameter_unknown"_s,
                             u"Received unknown parameter: "_s + name, name);
        return (this->*route.handler)(call, match.captured(1));
    }
    return error(404, u"invalid_request_error"_s, {},
                 u"Unrecognized request URL (%1: /v1/%2)."_s.arg(QString::fromLatin1(call.method), call.path));
}

void FakeStripe::write(QTcpSocket *socket, const StripeReply &reply, const QByteArray &headers)
{
    const QByteArray body = QJsonDocument(reply.body).toJson();
    socket->write("HTTP/1.1 " + QByteArray::number(reply.status) + " X\r\nServer: nginx\r\nDate: " + httpDate(m_now_s())
                  + "\r\nContent-Type: application/json\r\nRequest-Id: req_" + QByteArray::number(calls.size())
                  + "\r\nStripe-Version: " + version + "\r\n" + headers
                  + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
}

StripeReply FakeStripe::error(int status, const QString &type, const QString &code, const QString &message,
                              const QString &param)
{
    QJsonObject object{{u"type"_s, type}, {u"message"_s, message}};
    if (!code.isEmpty())
        object.insert(u"code"_s, code);
    if (!param.isEmpty())
        object.insert(u"param"_s, param);
    return {status, {{u"error"_s, object}}};
}

StripeReply FakeStripe::missing(const QString &kind, const QString &id, const QString &param) const
{
    return error(param == "id"_L1 ? 404 : 400, u"invalid_request_error"_s, u"resource_missing"_s,
                 u"No such %1: '%2'"_s.arg(kind, id), param);
}

// What the world does, for programs: POST /test/pay?id=cs_…, …; POST /test/fault?kind=…&status=…; POST /test/events.
StripeReply FakeStripe::act(const StripeCall &call)
{
    const QString what = call.path.mid(6);
    const QString id = call.field(u"id"_s);
    const bool works = call.field(u"works"_s) != "no"_L1;
    const qint64 amount = call.field(u"amount"_s).toLongLong();
    QJsonObject result;
    if (what == "pay"_L1)
        pay(id);
    else if (what == "pay_later"_L1)
        payLater(id);
    else if (what == "settle_later"_L1)
        settleLater(id, works);
    else if (what == "renew"_L1)
        renew(id);
    else if (what == "collect"_L1)
        collect(id, works);
    else if (what == "cards"_L1)
        cardsWork = works;
    else if (what == "tax"_L1)
        taxPercent = static_cast<int>(amount);
    else if (what == "refund"_L1)
        result[u"id"_s] = refund(id, amount);
    else if (what == "fail_refund"_L1)
        failRefund(id);
    else if (what == "dispute"_L1)
        result[u"id"_s] = dispute(id);
    else if (what == "close_dispute"_L1)
        closeDispute(id, call.field(u"status"_s));
    else if (what == "charge_of"_L1)
        result[u"id"_s] = chargeOf(id);
    else if (what == "fault"_L1)
        faults.push_back({static_cast<StripeFault::Kind>(call.field(u"kind"_s).toInt()),
                          call.field(u"status"_s).toInt(), call.field(u"headers"_s).toLatin1()});
    else if (what == "events"_L1) {
        QJsonArray all;
        for (const QJsonObject &event : takeEvents())
            all.append(event);
        result[u"events"_s] = all;
    } else
        return error(404, u"invalid_request_error"_s, {}, u"No such act: "_s + what);
    return {200, result};
}

} // namespace companion::test
