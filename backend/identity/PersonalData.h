#pragma once

#include "common/Ids.h"
#include "db/Session.h"

#include <functional>

namespace companion::identity {

// What a room keeps of a person: how it is handed out and how it goes. Each room that keeps personal data makes one of
// each kind of it and app gives them all to rights::ExportService and rights::ErasureService (Features::personalData).
// Operator lane (bulk); stateless, any worker.
class PersonalData
{
public:
    // One object of the export, as JSON text without line breaks.
    using Write = std::function<void(const QByteArray &object)>;

    virtual ~PersonalData() = default;
    // Lower-case words with underscores: the file `<name>.json` in the zip, the line in the receipt.
    virtual QByteArray name() const = 0;
    // Writes all of this user's objects, one after the other, reading at most some hundreds at a time. Nothing of
    // anybody else's, no secrets.
    virtual void exportTo(const Write &write, db::Session &db, const UserId &user) const = 0;
    // Inside the erasure's transaction, after the account was marked erased: deletes, or empties, all that may go, also
    // by a durable order to stores outside; how many objects. Called again later for what came meanwhile. 0 where
    // everything has to be kept (kept() says why).
    virtual qint64 erase(db::Session &db, const UserId &user) const = 0;
    // Why, and of what, something stays after an erasure; empty: nothing does.
    virtual QString kept() const { return {}; }
};

} // namespace companion::identity
