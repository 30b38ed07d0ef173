#include "rights/Retention.h"

#include <QHash>

namespace companion::rights {

namespace {

constexpr std::pair<const char *, const char *> enforced[] = {
    {"kept_answers", "rights.keep_kept_answers"},         {"stateless_replies", "rights.keep_stateless_replies"},
    {"refused_webhooks", "rights.keep_refused_webhooks"}, {"ended_devices", "rights.keep_ended_devices"},
    {"revoked_keys", "rights.keep_revoked_keys"},         {"ended_sandbox", "rights.keep_ended_sandbox"},
    {"erased_consents", "rights.keep_erased_consents"},
};

} // namespace

int enforceRetention(db::Session &db, int batch)
{
    QHash<QString, qint64> days;
    for (const auto &row : db.rows("rights.policies"))
        days.insert(row.text("what"), row.integer("keep_days"));
    qint64 touched = 0;
    for (const auto &[what, statement] : enforced) {
        const auto keep = days.constFind(QString::fromLatin1(what));
        if (keep == days.constEnd()) // no policy: kept for ever
            continue;
        touched += db.one(statement, {{"before", db.now().addDays(-*keep)}, {"batch", batch}}).integer("count");
    }
    return static_cast<int>(touched);
}

} // namespace companion::rights
