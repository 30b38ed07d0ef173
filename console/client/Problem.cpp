#include "console/client/Problem.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace companion::console {

bool Problem::is(ErrorCode wanted) const
{
    return code == QLatin1StringView(describe(wanted).name);
}

QString Problem::sentence() const
{
    switch (kind) {
    case Kind::Unreachable:
        return detail;
    case Kind::Cancelled:
        return tr("Cancelled.");
    case Kind::Unreadable:
        return tr("The server's answer cannot be read: %1. It may be of another version.").arg(detail);
    case Kind::Refused:
        break;
    }
    if (is(ErrorCode::RoleRequired))
        return tr("Your role does not allow this. Ask an administrator.");
    if (is(ErrorCode::PreconditionFailed))
        return tr("Somebody else changed this meanwhile. Load it again to see their version.");
    if (is(ErrorCode::RateLimited))
        return tr("Too many requests. Try again in %1 s.").arg(retryAfter_s.value_or(1));
    if (!errors.isEmpty())
        return tr("Not accepted: %1 %2.").arg(errors.first().pointer.section(u'/', -1), errors.first().message);
    if (!detail.isEmpty())
        return detail;
    return tr("The server answered with status %1.").arg(status);
}

QString Problem::forField(const QString &pointer) const
{
    for (const FieldError &error : errors)
        if (error.pointer == pointer)
            return error.message;
    return {};
}

Problem Problem::unreachable(const QUrl &server, const QString &why)
{
    return {.kind = Kind::Unreachable,
            .detail = tr("%1 does not answer (%2).").arg(server.toString(QUrl::RemoveUserInfo), why)};
}

Problem Problem::cancelled()
{
    return {.kind = Kind::Cancelled};
}

Problem Problem::unreadable(const QString &why)
{
    return {.kind = Kind::Unreadable, .detail = why};
}

Problem Problem::fromAnswer(int status, const QByteArray &body)
{
    const QJsonObject object = QJsonDocument::fromJson(body).object();
    Problem problem{.status = status,
                    .code = object.value(u"code").toString(),
                    .detail = object.value(u"detail").toString(object.value(u"title").toString()),
                    .requestId = object.value(u"request_id").toString()};
    for (const QJsonValue entry : object.value(u"errors").toArray())
        problem.errors.append({entry[u"pointer"].toString(), entry[u"message"].toString()});
    if (object.contains(u"retry_after"))
        problem.retryAfter_s = object.value(u"retry_after").toInt();
    return problem;
}

} // namespace companion::console
