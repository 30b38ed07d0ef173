#include "db/Roles.h"

#include "db/DatabaseError.h"
#include "db/Session.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>
#include <QThread>

using namespace Qt::StringLiterals;

namespace companion::db {

namespace {

bool isConcurrent(const DatabaseError &error)
{
    // two made the same role, or two altered it, at the same moment ("tuple concurrently updated" is an internal error)
    return error.sqlState() == "42710"_L1 || error.sqlState() == "23505"_L1 || error.sqlState() == "XX000"_L1;
}

QString quotedText(QString text)
{
    return u'\'' + text.replace(u'\'', u"''"_s) + u'\'';
}

QString attributes(const QString &password)
{
    const QString login = u"LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"_s;
    return password.isEmpty() ? login : login + u" PASSWORD "_s + quotedText(password);
}

void ensureRole(Session &owner, const QString &role, const QString &password)
{
    for (int attempt = 0;; ++attempt) {
        try {
            const bool there = !owner.script(u"SELECT 1 FROM pg_roles WHERE rolname = "_s + quotedText(role)).isEmpty();
            if (there && password.isEmpty())
                return;
            owner.script((there ? u"ALTER ROLE "_s : u"CREATE ROLE "_s) + role + u' '
                         + (there ? u"PASSWORD "_s + quotedText(password) : attributes(password)));
            return;
        } catch (const DatabaseError &error) {
            if (!isConcurrent(error) || attempt == 20)
                throw;
            QThread::msleep(20);
        }
    }
}

} // namespace

QString ensureRoles(Session &owner, const QString &appPassword, const QString &operatorPassword)
{
    const QString app = QString::fromLatin1(appRole);
    const QString staff = QString::fromLatin1(operatorRole);
    try {
        ensureRole(owner, app, appPassword);
        ensureRole(owner, staff, operatorPassword);
        return {};
    } catch (const DatabaseError &error) {
        if (error.sqlState() != "42501"_L1)
            throw;
        return u"CREATE ROLE %1 %2;\nCREATE ROLE %3 %4;"_s.arg(app, attributes(u"…"_s), staff, attributes(u"…"_s));
    }
}

QString derivedPassword(const QString &ownerPassword, const QString &role)
{
    return QString::fromLatin1(QMessageAuthenticationCode::hash(QByteArray("companion database role " + role.toUtf8()),
                                                                ownerPassword.toUtf8(), QCryptographicHash::Sha256)
                                   .toHex());
}

} // namespace companion::db
