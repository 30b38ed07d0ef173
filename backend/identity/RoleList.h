#pragma once

#include "common/Ensure.h"
#include "common/describe/EnumText.h"
#include "common/models/Identity.h"

#include <QStringList>

namespace companion::identity {

// Roles as the database keeps them: a text[].
inline QStringList textsOf(const QList<Role> &roles)
{
    QStringList texts;
    for (const Role role : roles)
        texts.append(toText(role));
    return texts;
}

inline QList<Role> rolesFrom(const QStringList &texts)
{
    QList<Role> roles;
    for (const QString &text : texts) {
        const auto role = fromText<Role>(text);
        ensure(role.has_value(), "the database holds known roles only");
        roles.append(*role);
    }
    return roles;
}

inline QList<Role> narrowed(QList<Role> roles, const QList<Role> &to)
{
    roles.removeIf([&](Role role) { return !to.contains(role); });
    return roles;
}

// Both, without doubles, in the order of the enumeration.
inline QList<Role> united(const QList<Role> &a, const QList<Role> &b)
{
    QList<Role> all;
    for (const auto &[role, name] : EnumNames<Role>::values)
        if (a.contains(role) || b.contains(role))
            all.append(role);
    return all;
}

} // namespace companion::identity
