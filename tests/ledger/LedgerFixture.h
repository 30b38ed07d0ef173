#pragma once

#include "ledger/Ledger.h"
#include "support/Mutation.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <unistd.h>

namespace companion::test {

inline Credits credits(const char *text)
{
    return Credits::parse(QString::fromLatin1(text)).value();
}

// A migrated database with users in it, and the ledger's operations on them in as few words as a test needs.
// Everything runs as companion_app, as in the product, unless a test says otherwise.
struct LedgerFixture
{
    TestDatabase db;
    ledger::Ledger ledger;
    UserId user = addUser();
    int keys = 0;

    LedgerFixture() { applyMutation(db, QStringLiteral(QT_TESTCASE_SOURCEDIR)); }

    UserId addUser()
    {
        const auto id = UserId::create();
        db.owner().script(QStringLiteral("INSERT INTO users (id, display_name, created_at) VALUES ('%1', '', '%2')")
                              .arg(id.toString(), db.clock().now().toString(Qt::ISODateWithMs)));
        return id;
    }
    QString newKey() { return QStringLiteral("key-%1").arg(++keys); }
    QDateTime now() { return db.clock().now(); }
    QDateTime in(std::chrono::seconds time) { return now().addSecs(time.count()); }
    void at(const char *time) { db.clock().set(QDateTime::fromString(QString::fromLatin1(time), Qt::ISODate)); }

    Result<ledger::Hold> hold(const char *amount, const char *limit = "10",
                              std::chrono::seconds life = std::chrono::minutes(6))
    {
        return ledger.hold(db.app(), {user, newKey(), credits(amount), in(life), credits(limit)});
    }
    // ledger_hold_many or ledger_capture_many on the orders, in a transaction of its own: the orders that were done.
    db::Rows together(db::Session &operators, const char *operation, const QJsonArray &orders)
    {
        QStringList users;
        for (const auto &order : orders)
            users.append(order[QLatin1StringView("user_id")].toString());
        const QString at = now().toString(Qt::ISODateWithMs);
        db::Transaction transaction(operators);
        const auto locked = operators.script(
            QStringLiteral("SELECT ledger_lock_plain('{%1}', '%2')::text AS users").arg(users.join(u','), at));
        const auto rows =
            operators.script(QStringLiteral("SELECT * FROM ledger_%1_many('%2', '%3', '%4')")
                                 .arg(QLatin1StringView(operation), QString::fromUtf8(QJsonDocument(orders).toJson()),
                                      locked.first().text("users"), at));
        transaction.commit();
        return rows;
    }
    Result<ledger::Settlement> capture(const HoldId &hold, const char *amount)
    {
        return ledger.capture(db.app(), user, hold, credits(amount), QStringLiteral("Aria"), {});
    }
    Result<Transaction> grant(Bucket bucket, const char *amount, std::optional<QDateTime> expiresAt = {})
    {
        return ledger.grant(db.app(),
                            {.user = user,
                             .key = newKey(),
                             .bucket = bucket,
                             .amount = credits(amount),
                             .expiresAt = expiresAt,
                             .description = QStringLiteral("Granted")});
    }
    Result<Transaction> adjust(Bucket bucket, const char *amount)
    {
        return ledger.adjust(db.app(), {user, newKey(), bucket, credits(amount), QStringLiteral("Because"), {}});
    }
    Result<Transaction> reverse(const TransactionId &original)
    {
        return ledger.reverse(db.app(), user, original, newKey(), QStringLiteral("Undone"), {});
    }
    // Three rows: a grant, a refresh, and a charge out of two buckets.
    ledger::Settlement charge()
    {
        grant(Bucket::Purchased, "20");
        return capture(hold("14")->id, "13").value();
    }
    Balance balance(const char *limit = "10") { return ledger.balance(db.app(), user, credits(limit)).value(); }
    int sweepRefresh(int batch, Credits limit = credits("10"))
    {
        return ledger.sweepRefresh(db.operators(), batch, [=](db::Session &, const UserId &) { return limit; });
    }
    // "daily purchased bonus held", without trailing zeros: "10 50 0 2.5"
    QString wallet(const char *limit = "10")
    {
        const Balance b = balance(limit);
        return QStringList{brief(b.dailyFree), brief(b.purchased), brief(b.bonus), brief(b.held)}.join(u' ');
    }
    // The history, oldest first: "daily_refresh 10, chat -2.5"
    QString history()
    {
        QStringList words;
        const auto page = ledger.transactions(db.app(), {.user = user}, {.limit = 100}).value();
        for (const Transaction &row : page.items)
            words.prepend(toText(row.kind) + u' ' + brief(row.amount));
        return words.join(QStringLiteral(", "));
    }
    // The audit's rules that found something, each once; empty when the books are right.
    QStringList audit()
    {
        QStringList rules;
        for (const auto &finding : ledger.audit(db.operators()))
            rules.append(finding.rule);
        rules.removeDuplicates();
        return rules;
    }
    static QString brief(Credits amount)
    {
        QString text = amount.toString();
        while (text.endsWith(u'0'))
            text.chop(1);
        return text.endsWith(u'.') ? text.chopped(1) : text;
    }
};

} // namespace companion::test
