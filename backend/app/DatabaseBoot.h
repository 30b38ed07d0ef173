#pragma once

#include "app/Configuration.h"
#include "app/EmbeddedPostgres.h"
#include "db/Target.h"

#include <expected>
#include <functional>
#include <memory>
#include <optional>

namespace companion::app {

struct Databases
{
    db::Target owner; // migrations only
    db::Target app;
    db::Target operators;
    std::optional<db::Target> replica;
    QStringList applied; // migrations that were applied just now
};

// From a configuration to a database that is there, of a version we know, with both roles and all migrations: the
// embedded cluster or the server that DATABASE_URL names. Main thread, at start; keep it as long as the database is
// used, the embedded cluster ends with it.
class DatabaseBoot
{
public:
    using Progress = EmbeddedPostgres::Progress;

    explicit DatabaseBoot(const Configuration &configuration);
    ~DatabaseBoot();

    // Blocks. The error is for a person, and says what to do.
    std::expected<Databases, QString> start(EmbeddedPostgres::Use use, const Progress &progress = {});
    void stop();
    EmbeddedPostgres *embedded() const { return m_embedded.get(); } // null with DATABASE_URL

private:
    std::expected<Databases, QString> targets(EmbeddedPostgres::Use use, const Progress &progress);
    std::expected<Databases, QString> externalTargets() const;

    const Configuration m_configuration;
    std::unique_ptr<EmbeddedPostgres> m_embedded;
};

} // namespace companion::app
