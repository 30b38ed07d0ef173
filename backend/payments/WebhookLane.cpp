#include "payments/WebhookLane.h"

#include "db/Together.h"

namespace companion::payments {

Q_LOGGING_CATEGORY(webhookLog, "companion.payments.webhooks", QtInfoMsg)

WebhookLane::WebhookLane(const PaymentBooks &books, db::Workers &workers)
    : m_gatherer(workers,
                 [&books](db::Session &db, const std::vector<Delivery> &deliveries) {
                     return db::together<Taken>(deliveries.size(), webhookLog(),
                                                [&] { return books.takeTogether(db, deliveries); });
                 },
                 {.enough = 4, .linger_ms = 5, .limit = workers.options().queueLimit})
{
}

} // namespace companion::payments
