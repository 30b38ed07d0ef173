#pragma once

#include "common/Result.h"

#include <QByteArray>
#include <QHash>
#include <QHostAddress>
#include <QJsonObject>
#include <QStringList>
#include <QUrlQuery>

namespace companion::http {

enum class Method { Get, Head, Post, Put, Patch, Delete, Options };

QByteArray methodName(Method method); // "GET"

// Names are case-insensitive; order and duplicates are kept.
class Headers
{
public:
    void set(const QByteArray &name, const QByteArray &value);
    void add(const QByteArray &name, const QByteArray &value);
    QByteArray value(const QByteArray &name) const; // the first; empty where there is none
    QList<QByteArray> values(const QByteArray &name) const;
    bool contains(const QByteArray &name) const;
    void remove(const QByteArray &name);
    const QList<std::pair<QByteArray, QByteArray>> &all() const { return m_all; }

private:
    QList<std::pair<QByteArray, QByteArray>> m_all;
};

// One request as the handlers see it: complete, checked, within all limits.
struct Request
{
    Method method = Method::Get;
    QString path;        // decoded, for people: an encoded slash shows as one; routing goes by `segments`
    QStringList segments; // decoded one by one: "/a%2Fb/c" is {"a/b", "c"}
    QString route;       // the pattern that matched: "/api/v1/chat/sessions/{id}"
    QHash<QString, QString> params; // {id} → its text
    QUrlQuery query; // '+' has become a space
    Headers headers;
    QByteArray body;
    QHostAddress peer; // who asks; behind a trusted proxy the client that it names
    QByteArray id; // X-Request-Id: the caller's where it is sane (1–128 of [A-Za-z0-9._-]), else ours
    qint64 receivedAt_ns = 0; // monotonic, when the head was complete

    QString param(const QString &name) const { return params.value(name); }
};

// One whole answer. A header value with CR, LF or NUL is a Bug; HEAD, Content-Length and Connection are the writer's.
struct Reply
{
    int status = 200;
    QByteArray contentType;
    QByteArray body;
    Headers headers;

    static Reply json(const QJsonObject &object, int status = 200);
    static Reply text(const QByteArray &body, const QByteArray &contentType, int status = 200);
    static Reply noContent();
    // application/problem+json (RFC 9457) with type, title, status, detail, code, request_id and what the refusal
    // holds; Retry-After on 429 and 503 (default 1 s).
    static Reply problem(const Refusal &refusal, const QByteArray &requestId);

    Reply &with(const QByteArray &name, const QByteArray &value)
    {
        headers.set(name, value);
        return *this;
    }
};

} // namespace companion::http
