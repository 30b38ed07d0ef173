#include "LedgerFixture.h"
#include "ReferenceLedger.h"

#include <QSet>
#include <QTest>
#include <random>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

using Units = ReferenceWallet::Units;

struct Wallet
{
    UserId user;
    ReferenceWallet model = {};
    QHash<QString, HoldId> holds = {}; // by key
    QHash<QString, Units> amounts = {}; // of holds, by key
    QStringList heldKeys = {};          // of holds, newest last
    QStringList keys = {};             // of everything that succeeded
    QList<int> returned = {};          // rows that were taken back
    QList<ledger::DebtId> debts = {};
    QList<TransactionId> rows = {};    // the history as it stands in the database
    qint64 lastRowAt = 0;
};

} // namespace

// A seeded random life of some wallets, over many days: every operation, its refusals and its repetitions, with wallet,
// lots and new history rows compared with the model after each. LEDGER_MODEL_OPERATIONS sets how many (ctest -L long:
// 200,000); LEDGER_MODEL_SEED repeats a run.
class AgainstModelTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void every_operation_leaves_what_the_model_says()
    {
        const int count = number("LEDGER_MODEL_OPERATIONS", 3000);
        const int seed = number("LEDGER_MODEL_SEED", 20260115);
        m_random.seed(seed);
        m_f.db.operators().script(
            "PREPARE look (uuid, timestamptz, bigint) AS SELECT concat_ws(' ', daily_free, purchased, bonus, held, "
            "debt, sequence)"
            " AS wallet, (SELECT string_agg(concat_ws(' ', bucket, original, remaining, reserved,"
            " (extract(epoch FROM expires_at) * 1000)::bigint), ';' ORDER BY ledger_bucket_rank(bucket),"
            " expires_at NULLS LAST, sequence) FROM wallet_lots l WHERE l.user_id = w.user_id AND open) AS lots,"
            " (SELECT string_agg(concat_ws(' ', kind, daily_free, purchased, bonus,"
            " coalesce((metadata->>'debt')::numeric(18,4), 0::numeric(18,4)), (extract(epoch FROM created_at) *"
            " 1000)::bigint), ';' ORDER BY sequence) FROM transaction_history t WHERE t.user_id = w.user_id AND"
            " created_at >= $2 AND t.sequence > $3) AS added, (SELECT string_agg(id::text, ' ' ORDER BY sequence) FROM"
            " transaction_history t WHERE t.user_id = w.user_id AND created_at >= $2 AND t.sequence > $3) AS ids"
            " FROM user_wallet w WHERE user_id = $1");
        for (int i = 0; i < 3; ++i)
            m_wallets.append({.user = m_f.addUser()});
        for (int i = 0; i < count && !QTest::currentTestFailed(); ++i) {
            step();
            if (QTest::currentTestFailed())
                qWarning("at operation %d of seed %d", i, seed);
        }
        sweep(); // or holds of whoever did not come any more would be found overdue
        QCOMPARE(m_f.audit(), QStringList());
        for (const char *answer : {"hold together ok",
                                   "capture together ok",
                                   "hold ok",
                                   "hold invalid",
                                   "hold conflict",
                                   "hold insufficient_credits",
                                   "capture ok",
                                   "capture invalid",
                                   "capture not_found",
                                   "capture conflict",
                                   "void ok",
                                   "void conflict",
                                   "grant ok",
                                   "grant invalid",
                                   "grant conflict",
                                   "adjust ok",
                                   "adjust invalid",
                                   "adjust conflict",
                                   "adjust insufficient_credits",
                                   "reverse ok",
                                   "reverse conflict",
                                   "reverse insufficient_credits",
                                   "take_back ok",
                                   "take_back invalid",
                                   "take_back conflict",
                                   "give_back ok",
                                   "give_back invalid",
                                   "give_back conflict",
                                   "forgive ok",
                                   "forgive invalid",
                                   "refresh ok",
                                   "sweep ok"})
            QVERIFY2(m_answers.contains(answer), answer); // or the run says less than its name
        qInfo() << m_answers;
    }

private:
    static int number(const char *variable, int otherwise)
    {
        return qEnvironmentVariableIsSet(variable) ? qEnvironmentVariableIntValue(variable) : otherwise;
    }
    qint64 below(qint64 limit) { return std::uniform_int_distribution<qint64>(0, limit - 1)(m_random); }
    bool oneIn(int n) { return below(n) == 0; }
    // Mostly odd amounts, some round ones, so that equalities happen.
    Units amount(Units most) { return oneIn(3) ? (1 + below(most / 10'000 + 1)) * 10'000 : 1 + below(most); }
    qint64 now() { return m_f.now().toMSecsSinceEpoch(); }
    QDateTime time(qint64 ms) { return QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC); }
    QString key(const Wallet &wallet)
    {
        return oneIn(12) && !wallet.keys.isEmpty() ? wallet.keys[below(wallet.keys.size())] : m_f.newKey();
    }
    // One of the newest few, so that open, closed and overdue ones are all met.
    static QString recentHold(const Wallet &wallet, qint64 back)
    {
        const qint64 at = wallet.heldKeys.size() - 1 - back;
        return at < 0 ? QString() : wallet.heldKeys[at];
    }

    void step()
    {
        Wallet &wallet = m_wallets[below(m_wallets.size())];
        if (oneIn(4))
            m_f.db.clock().advance(std::chrono::milliseconds(oneIn(5) ? below(30'000'000) : below(120'000)));
        // Another instance takes it, whose clock is behind.
        const auto behind = std::chrono::milliseconds(oneIn(10) ? below(oneIn(5) ? 7'200'000 : 3'000) : 0);
        m_f.db.clock().advance(-behind);
        if (oneIn(8))
            holdTogether();
        else if (oneIn(8))
            captureTogether();
        else
            act(wallet);
        m_f.db.clock().advance(behind);
    }
    void act(Wallet &wallet)
    {
        switch (below(24)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
            return hold(wallet);
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
            return capture(wallet);
        case 10:
        case 11:
            return voidHold(wallet);
        case 12:
        case 13:
            return grant(wallet);
        case 14:
            return adjust(wallet);
        case 15:
        case 16:
            return reverse(wallet);
        case 17:
        case 18:
            return refresh(wallet);
        case 19:
        case 20:
            return takeBack(wallet);
        case 21:
            return giveBack(wallet);
        case 22:
            return oneIn(3) ? forgive(wallet) : takeBack(wallet);
        default:
            return sweep();
        }
    }

    struct HoldTerms
    {
        QString key;
        Units asked = 0;
        qint64 deadline = 0;
        Units limit = 0;
    };
    HoldTerms holdTerms(const Wallet &wallet)
    {
        const Units most = wallet.model.available() + 20'000;
        return {.key = key(wallet),
                .asked = oneIn(20) ? 0
                    : oneIn(10)    ? most
                                   : amount(oneIn(3) ? most : most / 4 + 1),
                .deadline = now() + (oneIn(3) ? below(100'000'000) : below(400'000)) - (oneIn(20) ? 400'000 : 0),
                .limit = below(3) * 50'000};
    }
    void hold(Wallet &wallet) { hold(wallet, holdTerms(wallet), std::nullopt); }
    // `made`: by the statement for many; else it is made now.
    void hold(Wallet &wallet, const HoldTerms &terms, const std::optional<HoldId> &made)
    {
        const auto expected = wallet.model.hold(now(), terms.key, terms.asked, terms.deadline, terms.limit);
        const auto answer = made
            ? Result<ledger::Hold>(ledger::Hold{.id = *made, .amount = {}, .expiresAt = {}, .balance = {}})
            : m_f.ledger.hold(m_f.db.app(),
                              {wallet.user, terms.key, Credits::fromUnits(terms.asked), time(terms.deadline),
                               Credits::fromUnits(terms.limit)});
        if (answer && !answer->replayed) {
            wallet.holds.insert(terms.key, answer->id);
            wallet.amounts.insert(terms.key, terms.asked);
            wallet.heldKeys.append(terms.key);
        }
        compare(made ? "hold together" : "hold", wallet, terms.key, expected, answer);
    }

    struct CaptureTerms
    {
        QString key;
        HoldId hold;
        Units asked = 0;
    };
    CaptureTerms captureTerms(const Wallet &wallet)
    {
        const QString used = recentHold(wallet, oneIn(2) ? 0 : below(5));
        const Units whole = wallet.amounts.value(used);
        return {.key = used,
                .hold = wallet.holds.value(used, HoldId::create()),
                .asked = oneIn(8) ? 0
                    : oneIn(3)    ? whole + below(3) - 1
                                  : below(whole + 1)};
    }
    void capture(Wallet &wallet) { capture(wallet, captureTerms(wallet), false); }
    void capture(Wallet &wallet, const CaptureTerms &terms, bool done)
    {
        const auto expected = wallet.model.capture(now(), terms.key, terms.asked);
        const auto answer = done ? Result<ledger::Settlement>(ledger::Settlement())
                                 : m_f.ledger.capture(m_f.db.app(), wallet.user, terms.hold,
                                                      Credits::fromUnits(terms.asked), QStringLiteral("Aria"), {});
        compare(done ? "capture together" : "capture", wallet, {}, expected, answer);
    }

    // Of all wallets at once, as turns that begin or end together: what the statement for many does not take is done
    // alone, and the model sees no difference.
    void holdTogether()
    {
        QList<HoldTerms> terms;
        QJsonArray orders;
        for (const Wallet &wallet : m_wallets) {
            terms.append(holdTerms(wallet));
            orders.append(QJsonObject{{u"n"_s, orders.size()},
                                      {u"user_id"_s, wallet.user.toString()},
                                      {u"key"_s, terms.last().key},
                                      {u"amount"_s, text(terms.last().asked)},
                                      {u"expires_at"_s, time(terms.last().deadline).toString(Qt::ISODateWithMs)},
                                      {u"daily_limit"_s, text(terms.last().limit)}});
        }
        QHash<qint64, HoldId> made;
        for (const auto &row : m_f.together(m_f.db.operators(), "hold", orders))
            made.insert(row.integer("n"), row.id<HoldId>("hold_id"));
        for (qsizetype n = 0; n < m_wallets.size() && !QTest::currentTestFailed(); ++n)
            hold(m_wallets[n], terms[n], made.contains(n) ? std::optional(made[n]) : std::nullopt);
    }
    void captureTogether()
    {
        QList<CaptureTerms> terms;
        QJsonArray orders;
        for (const Wallet &wallet : m_wallets) {
            terms.append(captureTerms(wallet));
            orders.append(QJsonObject{{u"n"_s, orders.size()},
                                      {u"user_id"_s, wallet.user.toString()},
                                      {u"hold_id"_s, terms.last().hold.toString()},
                                      {u"amount"_s, text(terms.last().asked)},
                                      {u"description"_s, u"Aria"_s},
                                      {u"metadata"_s, QJsonObject()}});
        }
        QSet<qint64> done;
        for (const auto &row : m_f.together(m_f.db.operators(), "capture", orders))
            done.insert(row.integer("n"));
        for (qsizetype n = 0; n < m_wallets.size() && !QTest::currentTestFailed(); ++n)
            capture(m_wallets[n], terms[n], done.contains(n));
    }
    void voidHold(Wallet &wallet)
    {
        const QString used = recentHold(wallet, oneIn(2) ? 0 : below(5));
        const auto expected = wallet.model.voidHold(now(), used);
        const auto answer = m_f.ledger.voidHold(m_f.db.app(), wallet.user, wallet.holds.value(used, HoldId::create()));
        compare("void", wallet, {}, expected, answer);
    }

    void grant(Wallet &wallet)
    {
        const QString used = key(wallet);
        const auto bucket = oneIn(2) ? Bucket::Purchased : Bucket::Bonus;
        const std::optional<qint64> expiry =
            bucket == Bucket::Bonus && !oneIn(4) ? std::optional(now() + below(5) * 40'000'000) : std::nullopt;
        const Units asked = amount(300'000);
        const auto kind = bucket == Bucket::Purchased ? TransactionKind::Purchase : TransactionKind::BonusGrant;
        const auto expected = wallet.model.grant(now(), used, bucket, asked, expiry);
        const auto answer = m_f.ledger.grant(m_f.db.app(),
                                             {.user = wallet.user,
                                              .key = used,
                                              .bucket = bucket,
                                              .amount = Credits::fromUnits(asked),
                                              .kind = kind,
                                              .expiresAt = expiry ? std::optional(time(*expiry)) : std::nullopt,
                                              .description = QStringLiteral("Granted")});
        compare("grant", wallet, used, expected, answer);
    }

    void adjust(Wallet &wallet)
    {
        const QString used = key(wallet);
        const auto bucket = static_cast<Bucket>(below(3));
        const Units asked = oneIn(20) ? 0 : amount(100'000) * (oneIn(2) ? 1 : -1);
        const auto expected = wallet.model.adjust(now(), used, bucket, asked);
        const auto answer =
            m_f.ledger.adjust(m_f.db.app(), {wallet.user, used, bucket, Credits::fromUnits(asked), "Because", {}});
        compare("adjust", wallet, used, expected, answer);
    }

    void reverse(Wallet &wallet)
    {
        if (wallet.rows.isEmpty())
            return;
        const QString used = key(wallet);
        const int original = int(std::max<qint64>(0, wallet.rows.size() - 1 - below(25)));
        const auto expected = wallet.model.reverse(now(), used, original);
        const auto answer = m_f.ledger.reverse(m_f.db.app(), wallet.user, wallet.rows[original], used, "Undone", {});
        compare("reverse", wallet, used, expected, answer);
    }

    // Of one of the newest rows, mostly of a purchase.
    std::optional<int> somePurchase(const Wallet &wallet)
    {
        const auto &rows = wallet.model.history();
        for (int tries = 0; tries < 40 && !rows.empty(); ++tries) {
            const auto number = qint64(rows.size()) - 1 - below(std::min<qint64>(qint64(rows.size()), 80));
            const auto kind = rows[size_t(number)].kind;
            if (kind == TransactionKind::Purchase || kind == TransactionKind::BonusGrant || oneIn(200))
                return int(number);
        }
        return std::nullopt;
    }
    void takeBack(Wallet &wallet)
    {
        const auto purchase = somePurchase(wallet);
        if (!purchase)
            return;
        const QString used = key(wallet);
        const Units granted = std::abs(wallet.model.total(wallet.model.history()[size_t(*purchase)]));
        const Units asked = oneIn(30) ? 0 : oneIn(3) ? std::max<Units>(granted, 1) : amount(granted / 2 + 2);
        const auto kind = oneIn(2) ? TransactionKind::PaymentRefund : TransactionKind::Chargeback;
        const auto expected = wallet.model.takeBack(now(), used, *purchase, asked, kind);
        const auto answer = m_f.ledger.takeBack(m_f.db.operators(),
                                                {.user = wallet.user,
                                                 .key = used,
                                                 .purchase = wallet.rows[*purchase],
                                                 .amount = Credits::fromUnits(asked),
                                                 .kind = kind,
                                                 .description = QStringLiteral("Refunded")});
        if (answer && !answer->replayed)
            wallet.returned.append(*purchase);
        compare("take_back", wallet, used, expected, answer);
        readDebts(wallet);
    }
    void giveBack(Wallet &wallet)
    {
        const auto some = wallet.returned.isEmpty() || oneIn(10)
            ? somePurchase(wallet)
            : std::optional(wallet.returned[std::max<qint64>(0, wallet.returned.size() - 1 - below(5))]);
        if (!some)
            return;
        const QString used = key(wallet);
        const Units granted = std::abs(wallet.model.total(wallet.model.history()[size_t(*some)]));
        const Units asked = oneIn(30) ? 0 : oneIn(3) ? std::max<Units>(granted, 1) : amount(granted / 2 + 2);
        const auto expected = wallet.model.giveBack(now(), used, *some, asked);
        const auto answer = m_f.ledger.giveBack(m_f.db.operators(),
                                                {.user = wallet.user,
                                                 .key = used,
                                                 .purchase = wallet.rows[*some],
                                                 .amount = Credits::fromUnits(asked),
                                                 .description = QStringLiteral("Won")});
        compare("give_back", wallet, used, expected, answer);
    }
    void forgive(Wallet &wallet)
    {
        if (wallet.debts.isEmpty())
            return;
        const QString used = key(wallet);
        int debt = int(std::max<qint64>(0, wallet.debts.size() - 1 - below(4)));
        for (int open = 0; open < wallet.debts.size() && !oneIn(4); ++open) // mostly one that is owed
            if (wallet.model.owed(open) > 0)
                debt = open;
        const Units asked = oneIn(10) ? 0 : oneIn(2) ? amount(20'000) : 1 + below(wallet.model.owed(debt) + 1);
        const auto expected = wallet.model.forgive(now(), used, debt, asked);
        const auto answer = m_f.ledger.forgiveDebt(m_f.db.operators(),
                                                   {.user = wallet.user,
                                                    .key = used,
                                                    .debt = wallet.debts[debt],
                                                    .amount = Credits::fromUnits(asked),
                                                    .reason = QStringLiteral("Let off"),
                                                    .actor = {}});
        compare("forgive", wallet, used, expected, answer);
    }
    void readDebts(Wallet &wallet)
    {
        if (wallet.debts.size() == wallet.model.debts())
            return;
        wallet.debts.clear();
        for (const auto &row : m_f.db.operators().script(
                 QStringLiteral("SELECT id FROM wallet_debts WHERE user_id = '%1' ORDER BY sequence, id")
                     .arg(wallet.user.toString())))
            wallet.debts.append(row.id<ledger::DebtId>("id"));
    }

    void refresh(Wallet &wallet)
    {
        const Units limit = below(3) * 50'000;
        wallet.model.begin(now(), limit);
        compare("refresh", wallet, {}, {}, m_f.ledger.balance(m_f.db.app(), wallet.user, Credits::fromUnits(limit)));
    }

    // A sweep may find nothing to do for a wallet whose model frees something that a lazy call would have freed too: so
    // the model takes part only where the sweep is sure to.
    void sweep()
    {
        const Units limit = below(3) * 50'000;
        for (Wallet &wallet : m_wallets)
            wallet.model.sweepRefresh(now(), limit);
        while (m_f.sweepRefresh(2, Credits::fromUnits(limit)) > 0) { }
        for (Wallet &wallet : m_wallets)
            wallet.model.begin(now(), {});
        while (m_f.ledger.sweepHolds(m_f.db.operators(), 2) > 0) { }
        while (m_f.ledger.sweepLots(m_f.db.operators(), 2) > 0) { }
        for (Wallet &wallet : m_wallets) // what a closed hold released pays debts at the wallet's next call: this one
            (void)m_f.ledger.collectDebts(m_f.db.operators(), wallet.user);
        for (Wallet &wallet : m_wallets)
            compareState("sweep", wallet);
        ++m_answers[QStringLiteral("sweep ok")];
    }

    template <class T>
    void compare(const char *operation, Wallet &wallet, const QString &used, ReferenceWallet::Answer expected,
                 const Result<T> &answer)
    {
        const QString wanted = expected ? QString::fromLatin1(describe(*expected).name) : QStringLiteral("ok");
        const QString got = answer ? QStringLiteral("ok") : QString::fromLatin1(describe(answer.error().code).name);
        ++m_answers[QLatin1StringView(operation) + u' ' + wanted];
        if (got != wanted)
            QFAIL(qPrintable(
                QStringLiteral("%1 answered %2, the model %3").arg(QLatin1StringView(operation), got, wanted)));
        if (answer && !used.isEmpty())
            wallet.keys.append(used);
        compareState(operation, wallet);
    }

    // Wallet row, open lots in spending order, and the rows written since the last look: in one statement.
    void compareState(const char *operation, Wallet &wallet)
    {
        const auto rows = m_f.db.operators().script(
            QStringLiteral("EXECUTE look ('%1', '%2', %3)")
                .arg(wallet.user.toString(), time(wallet.lastRowAt).toString(Qt::ISODateWithMs))
                .arg(wallet.rows.size()));
        const bool isThere = !rows.isEmpty();
        same(operation, "wallet", isThere ? rows.first().text("wallet") : walletText({}), walletText(wallet.model));
        same(operation, "lots", isThere ? rows.first().text("lots") : QString(), lotsText(wallet.model));
        same(operation, "history", isThere ? rows.first().text("added") : QString(), addedText(wallet));
        if (isThere)
            for (const QString &id : rows.first().text("ids").split(u' ', Qt::SkipEmptyParts))
                wallet.rows.append(*TransactionId::parse(id));
        wallet.lastRowAt = wallet.model.lastRowAt();
    }
    static void same(const char *operation, const char *what, const QString &got, const QString &wanted)
    {
        if (got != wanted)
            QFAIL(qPrintable(QStringLiteral("after %1 the %2 is\n%3, and in the model\n%4")
                                 .arg(QLatin1StringView(operation), QLatin1StringView(what), got, wanted)));
    }

    static QString text(Units units) { return Credits::fromUnits(units).toString(); }
    static QString walletText(const ReferenceWallet &model)
    {
        return QStringList{text(model.sum(Bucket::DailyFree)),
                           text(model.sum(Bucket::Purchased)),
                           text(model.sum(Bucket::Bonus)),
                           text(model.held()),
                           text(model.debt()),
                           QString::number(model.history().size())}
            .join(u' ');
    }
    static QString lotsText(const ReferenceWallet &model)
    {
        QStringList lots;
        for (const auto &lot : model.openLots()) {
            QStringList words{toText(lot.bucket), text(lot.original), text(lot.remaining), text(lot.reserved)};
            if (lot.expiresAt)
                words.append(QString::number(*lot.expiresAt));
            lots.append(words.join(u' '));
        }
        return lots.join(u';');
    }
    static QString addedText(const Wallet &wallet)
    {
        QStringList added;
        for (size_t i = wallet.rows.size(); i < wallet.model.history().size(); ++i) {
            const auto &row = wallet.model.history()[i];
            added.append(QStringList{toText(row.kind), text(wallet.model.change(row, Bucket::DailyFree)),
                                     text(wallet.model.change(row, Bucket::Purchased)),
                                     text(wallet.model.change(row, Bucket::Bonus)), text(row.debt),
                                     QString::number(row.at)}
                             .join(u' '));
        }
        return added.join(u';');
    }

    LedgerFixture m_f;
    QList<Wallet> m_wallets;
    QMap<QString, int> m_answers; // "hold insufficient_credits" → how often
    std::mt19937_64 m_random;
};

QTEST_GUILESS_MAIN(AgainstModelTest)
#include "tst_AgainstModel.moc"
