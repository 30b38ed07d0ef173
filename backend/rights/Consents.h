#pragma once

#include "common/models/Page.h"
#include "common/models/Rights.h"
#include "db/Session.h"

namespace companion::rights {

// What users agreed to: every yes and no is kept, the newest of a kind counts. As the user; stateless.
class Consents
{
public:
    Consent add(db::Session &db, const UserId &user, const ConsentRequest &request) const;
    Page<Consent> list(db::Session &db, const UserId &user, const PageRequest &page) const; // newest first
};

} // namespace companion::rights
