#pragma once

#include "db/Session.h"
#include "payments/Facts.h"

#include <QByteArray>

namespace companion::test {

// What a provider tells about its customers, as the sandbox's webhooks would: purchases, refunds, disputes won and
// lost, subscriptions with renewals, failed attempts, fees told later; some hand back our payment's id, some refund
// what was spent long ago. About eleven events a person, each a body that is yet to be signed, in the order they
// happened.
class MoneyStory
{
public:
    MoneyStory(int events, const QDateTime &now);

    // Told before, in order, to any backend that hears the story; then `begin` spends some of it.
    const QList<QByteArray> &before() const { return m_before; }
    const QList<QByteArray> &events() const { return m_events; }
    // The people, and what some of them began to buy.
    void settle(db::Session &owner) const;
    void spend(db::Session &owner) const;

    // All that must not depend on how the events came; one line a thing.
    static QStringList outcome(db::Session &owner);

private:
    struct Person;
    void tell(const Person &person);
    QByteArray body(const payments::FactList &facts);
    void add(const payments::PaymentFact &fact) { m_events.append(body({{}, {fact}, {}})); }
    void add(const payments::DisputeFact &fact) { m_events.append(body({{}, {}, {fact}})); }
    void add(const payments::SubscriptionFact &fact) { m_events.append(body({{fact}, {}, {}})); }

    QDateTime m_now;
    int m_people = 0;
    int m_count = 0;
    QList<QByteArray> m_before;
    QList<QByteArray> m_events;
};

} // namespace companion::test
