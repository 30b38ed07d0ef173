#include "db/Target.h"

#include <QRegularExpression>
#include <QStringList>
#include <QUrl>

using namespace Qt::StringLiterals;

namespace companion::db {

namespace {

QString decoded(QStringView text)
{
    return QUrl::fromPercentEncoding(text.toUtf8());
}

// QPSQL reads connect options as "a=b;c=d" and hands them to libpq with blanks for the semicolons.
QString quotedOption(QString value)
{
    value.replace(u"\\"_s, u"\\\\"_s).replace(u"'"_s, u"\\'"_s);
    return u'\'' + value + u'\'';
}

const QStringList knownOptions{u"sslmode"_s,          u"sslrootcert"_s,
                               u"sslcert"_s,          u"sslkey"_s,
                               u"sslcrl"_s,           u"connect_timeout"_s,
                               u"application_name"_s, u"target_session_attrs"_s,
                               u"channel_binding"_s,  u"gssencmode"_s,
                               u"keepalives"_s,       u"keepalives_idle"_s};

const QStringList sslModes{u"disable"_s, u"allow"_s, u"prefer"_s, u"require"_s, u"verify-ca"_s, u"verify-full"_s};

std::expected<void, QString> applyOption(Target &target, const QString &name, const QString &value)
{
    if (name == "host"_L1)
        target.host = value;
    else if (name == "port"_L1)
        target.port = value.toInt();
    else if (name == "user"_L1)
        target.user = value;
    else if (name == "password"_L1)
        target.password = value;
    else if (name == "dbname"_L1)
        target.database = value;
    else if (name == "sslmode"_L1 && !sslModes.contains(value))
        return std::unexpected(u"sslmode is one of "_s + sslModes.join(u", "_s));
    else if (!knownOptions.contains(name))
        return std::unexpected(u"the option \"%1\" is not known"_s.arg(name));
    else
        target.options.insert(name, value);
    return {};
}

} // namespace

std::expected<Target, QString> Target::parse(const QString &url)
{
    // QUrl refuses an encoded slash in the host, which libpq allows, so the shape is read here.
    static const QRegularExpression shape(
        u"^postgres(?:ql)?://(?:([^:@/?]*)(?::([^@/?]*))?@)?(\\[[0-9a-fA-F:.]+\\]|[^:/?\\[\\]@]*)(?::(\\d{1,5}))?"
        "(?:/([^/?]*))?(?:\\?(.*))?$"_s);
    const auto match = shape.match(url);
    if (!match.hasMatch())
        return std::unexpected(u"not of the form postgres://user:password@host:port/database"_s);

    Target target;
    target.user = decoded(match.capturedView(1));
    target.password = decoded(match.capturedView(2));
    target.host = decoded(match.capturedView(3)).remove(u'[').remove(u']');
    if (match.hasCaptured(4))
        target.port = match.captured(4).toInt();
    target.database = decoded(match.capturedView(5));
    for (const auto &option : match.captured(6).split(u'&', Qt::SkipEmptyParts)) {
        const QString name = decoded(option.section(u'=', 0, 0));
        if (auto applied = applyOption(target, name, decoded(option.section(u'=', 1))); !applied)
            return std::unexpected(applied.error());
    }
    if (target.port < 1 || target.port > 65535)
        return std::unexpected(u"the port is a number from 1 to 65535"_s);
    if (target.user.isEmpty())
        return std::unexpected(u"the user is missing (postgres://user@…)"_s);
    if (target.host.isEmpty())
        target.host = u"localhost"_s;
    if (target.database.isEmpty())
        target.database = target.user; // as libpq does
    return target;
}

Target Target::as(const QString &otherUser, const QString &otherPassword) const
{
    Target other = *this;
    other.user = otherUser;
    other.password = otherPassword;
    return other;
}

Target Target::inDatabase(const QString &otherDatabase) const
{
    Target other = *this;
    other.database = otherDatabase;
    return other;
}

QString Target::label() const
{
    return u"%1@%2:%3/%4"_s.arg(user, host).arg(port).arg(database);
}

QString Target::connectOptions(const QMap<QString, QString> &settings) const
{
    QMap<QString, QString> all{{u"connect_timeout"_s, u"5"_s}, {u"application_name"_s, u"companion"_s}};
    all.insert(options);
    QStringList sets;
    for (const auto &[name, value] : settings.asKeyValueRange())
        sets << u"-c %1=%2"_s.arg(name, value);
    all.insert(u"options"_s, sets.join(u' '));
    QStringList parts;
    for (const auto &[name, value] : all.asKeyValueRange())
        parts << name + u'=' + quotedOption(value);
    return parts.join(u';');
}

} // namespace companion::db
