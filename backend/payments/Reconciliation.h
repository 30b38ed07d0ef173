#pragma once

#include "common/models/Page.h"
#include "common/models/PaymentAdmin.h"
#include "payments/PaymentBooks.h"

namespace companion::payments {

struct DifferenceFilter
{
    bool openOnly = true;
    std::optional<Provider> provider = {};
    std::optional<DifferenceKind> kind = {};
};

// One day of one provider: what it says was paid, refunded and disputed, held against our books, both ways. What only
// the provider knows is a lost webhook: it is applied, and the difference is listed as healed. What only we know, or
// what still differs afterwards, is for people.
class Reconciliation
{
public:
    explicit Reconciliation(const PaymentBooks &books)
        : m_books(books)
    {
    }

    // One act on the operator lane, without a transaction around it: each payment is applied in its own. `granted` is
    // what to acknowledge: what this run granted, and once more what was paid in the last days.
    ReconciliationRun compare(db::Session &db, Provider provider, const QDate &day, const FactList &told,
                              QList<Granted> &granted) const;
    void failed(db::Session &db, Provider provider, const QDate &day, const QString &why) const;

    // Newest first, by offset or cursor. invalid: a cursor that we did not give.
    Result<Page<ReconciliationDifference>> differences(db::Session &db, const DifferenceFilter &filter,
                                                       const PageRequest &page) const;
    QList<ReconciliationRun> runs(db::Session &db) const;
    // not_found, conflict (resolved already)
    Result<ReconciliationDifference> resolve(db::Session &db, const QString &id, const QString &note,
                                             const UserId &actor) const;
    // The providers of `kinds` whose yesterday has not been compared yet (or failed an hour ago).
    QList<Provider> due(db::Session &db, const QList<Provider> &kinds, const QDate &day) const;

    static constexpr int acknowledgeFor_days = 3;

private:
    int checkTheirs(db::Session &db, Provider provider, const QDate &day, const PaymentFact &fact,
                    QList<Granted> &granted, int &healed) const;
    int checkOurs(db::Session &db, Provider provider, const QDate &day, const QSet<QString> &told, int &ours) const;
    void acknowledgeAgain(db::Session &db, Provider provider, QList<Granted> &granted) const;
    void note(db::Session &db, Provider provider, const QDate &day, const char *kind, const QString &reference,
              const std::optional<PaymentId> &payment, const QString &ours, const QString &theirs, bool healed) const;

    const PaymentBooks &m_books;
};

} // namespace companion::payments
