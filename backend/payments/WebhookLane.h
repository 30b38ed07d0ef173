#pragma once

#include "db/Gatherer.h"
#include "payments/PaymentBooks.h"

namespace companion::payments {

// Where webhooks are taken together: what comes while an act is under way goes into the next one, all in one statement
// and one commit. Nothing in the answer's place: not the plain case, to be taken alone. Loop thread.
class WebhookLane
{
public:
    using Answer = std::optional<Taken>;

    // Workers of the operator role, of which one at a time is taken. Both outlive the lane.
    WebhookLane(const PaymentBooks &books, db::Workers &workers);

    void take(QObject *context, Delivery delivery, std::function<void(Result<Answer>)> then)
    {
        m_gatherer.submit(context, std::move(delivery), std::move(then));
    }

private:
    db::Gatherer<Delivery, Answer> m_gatherer;
};

} // namespace companion::payments
