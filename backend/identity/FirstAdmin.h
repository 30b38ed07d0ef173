#pragma once

#include "db/Session.h"

#include <expected>

namespace companion::identity {

struct FirstAdmin
{
    QString keyFile;    // DATA/admin-access-key
    QString accessKey;  // empty where there is none: see ensureFirstAdmin
    bool made = false;  // the key was made just now
};

// The operator's way in at first start: the account admin@localhost with the admin role, and a key for it in
// dataDir/admin-access-key, mode 0600. A file whose key still signs in is left as it is; one that is missing, or whose
// key this database does not know (another DATABASE_URL, a revoked key), is written anew with a further key. Suspending
// admin@localhost, or taking its admin role, closes this way in: then no key is made and accessKey is empty.
// Safe to call from several instances at once. Operator connection, no transaction around it. An error text, in
// English, when the file cannot be written.
std::expected<FirstAdmin, QString> ensureFirstAdmin(db::Session &db, const QString &dataDir);

} // namespace companion::identity
