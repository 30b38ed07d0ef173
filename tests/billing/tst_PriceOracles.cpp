#include "billing/Market.h"
#include "billing/Price.h"
#include "support/TestDatabase.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>
#include <random>

using namespace companion;
using namespace companion::billing;
using namespace Qt::StringLiterals;

namespace {

Credits credits(const QString &text)
{
    return Credits::parse(text).value();
}
Factor factor(const QString &text)
{
    return Factor::parse(text).value();
}

// One line of a .decTest file: add, subtract or multiply of two plain decimals with a plain, exact result.
struct Sum
{
    QString name;
    QString operation;
    QString left;
    QString right;
    QString result;
};
QList<Sum> exactSums(const QString &file)
{
    static const QRegularExpression line(
        QStringLiteral("^(\\w+)\\s+(add|subtract|multiply)\\s+'?(-?\\d+(?:\\.\\d+)?)'?\\s+'?(-?\\d+(?:\\.\\d+)?)'?"
                       "\\s+->\\s+'?(-?\\d+(?:\\.\\d+)?)'?\\s*$"));
    QList<Sum> sums;
    QFile vectors(QStringLiteral(QT_TESTCASE_SOURCEDIR "/../../../shared/data/decimal/") + file);
    if (vectors.open(QIODevice::ReadOnly))
        for (const QByteArray &text : vectors.readAll().split('\n'))
            if (const auto match = line.match(QString::fromUtf8(text)); match.hasMatch()) // no Inexact, no Rounded
                sums.append(
                    {match.captured(1), match.captured(2), match.captured(3), match.captured(4), match.captured(5)});
    return sums;
}

// Terms of all sizes, with round ones among them so that halves happen.
struct RandomTerms
{
    std::mt19937_64 random;

    qint64 below(qint64 limit) { return std::uniform_int_distribution<qint64>(0, limit)(random); }
    qint64 ofAnySize(int digits)
    {
        qint64 limit = 1;
        for (qint64 size = below(digits); size > 0; --size)
            limit *= 10;
        return below(3) == 0 ? limit : below(limit);
    }
    PriceTerms terms()
    {
        return {Credits::fromUnits(ofAnySize(6)), Credits::fromUnits(ofAnySize(3)), Factor::fromUnits(ofAnySize(6)),
                Factor::fromUnits(below(4) == 0 ? 5000 : below(10'000))};
    }
    qint64 tokens() { return ofAnySize(8); }
};

} // namespace

// Prices beside reckoners that share nothing with them: Python's decimal (a committed file), PostgreSQL's numeric, and
// the published vectors of decimal arithmetic. And what must hold of every price, whatever it is.
class PriceOraclesTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // make_price_vectors.py wrote them.
    void prices_are_what_pythons_decimal_says()
    {
        QFile file(QStringLiteral(QT_TESTCASE_SOURCEDIR "/price_vectors.csv"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        file.readLine();
        int count = 0;
        while (!file.atEnd()) {
            const QString line = QString::fromLatin1(file.readLine()).trimmed();
            const QStringList cells = line.split(u',');
            const PriceTerms terms{credits(cells[1]), credits(cells[2]), factor(cells[3]), factor(cells[4])};
            QVERIFY2(priceOf(cells[0].toLongLong(), terms).toString() == cells[5], qPrintable(line));
            ++count;
        }
        QVERIFY(count > 1400);
    }

    void prices_are_what_postgresqls_numeric_says()
    {
        test::TestDatabase db;
        RandomTerms some{.random = std::mt19937_64(20260115)};
        for (int batch = 0; batch < 10; ++batch) {
            QStringList rows;
            for (int i = 0; i < 5000; ++i) {
                const qint64 tokens = some.tokens();
                const PriceTerms terms = some.terms();
                rows.append(u"(%1,%2,%3,%4,%5,%6)"_s.arg(QString::number(tokens), terms.ratePer1k.toString(),
                                                         terms.minimumCharge.toString(), terms.multiplier.toString(),
                                                         terms.discount.toString(), priceOf(tokens, terms).toString()));
            }
            const auto wrong = db.owner().script(
                u"SELECT v.* FROM (VALUES %1) v (tokens, rate, minimum, multiplier, discount, price) WHERE price <> "
                u"CASE"
                " WHEN multiplier = 0 THEN 0 ELSE greatest(minimum, round(tokens * rate * multiplier * (1 - discount) *"
                " 0.001, 4)) END"_s.arg(rows.join(u',')));
            QCOMPARE(wrong.size(), 0);
        }
    }

    void effective_prices_are_what_postgresqls_numeric_says()
    {
        test::TestDatabase db;
        RandomTerms some{.random = std::mt19937_64(2)};
        QStringList rows;
        for (int i = 0; i < 5000; ++i) {
            const Money price = Money::fromMinor(some.ofAnySize(7), u"USD"_s);
            const Credits amount = Credits::fromUnits(1 + some.ofAnySize(8));
            rows.append(u"(%1,%2,%3)"_s.arg(price.amount(), amount.toString(), effectivePrice(price, amount)));
        }
        const auto wrong = db.owner().script(
            u"SELECT v.* FROM (VALUES %1) v (price, credits, effective) WHERE effective <> round(price / credits, 4)"_s
                .arg(rows.join(u',')));
        QVERIFY2(wrong.isEmpty(), wrong.isEmpty() ? "" : qPrintable(wrong.first().text("price")));
        // the four packages, as the business states them
        const auto stated = [](qint64 minor, const char *amount) {
            return effectivePrice(Money::fromMinor(minor, u"USD"_s), credits(QString::fromLatin1(amount)));
        };
        QCOMPARE(stated(99, "10"), "0.0990");
        QCOMPARE(stated(899, "110"), "0.0817");
        QCOMPARE(stated(3999, "660"), "0.0606");
        QCOMPARE(stated(6999, "1560"), "0.0449");
    }

    // Sums of credits are exact, or not at all: what is in our range and has our places comes out as published.
    void sums_are_those_of_the_published_decimal_vectors()
    {
        const QList<Sum> sums = exactSums(u"add.decTest"_s) + exactSums(u"subtract.decTest"_s);
        if (sums.isEmpty())
            QSKIP("the decimal vectors (../shared/data/decimal) are not on this machine");
        int used = 0;
        for (const Sum &sum : sums) {
            const auto left = Credits::parse(sum.left);
            const auto right = Credits::parse(sum.right);
            const auto result = Credits::parse(sum.result);
            if (!left || !right || !result)
                continue;
            ++used;
            QVERIFY2((sum.operation == u"add" ? *left + *right : *left - *right) == *result, qPrintable(sum.name));
        }
        qInfo("%d vectors", used);
        QVERIFY(used > 100);
    }

    // A thousand tokens cost rate × multiplier: the published products of what a rate and a multiplier can be.
    void products_are_those_of_the_published_decimal_vectors()
    {
        const QList<Sum> products = exactSums(u"multiply.decTest"_s);
        if (products.isEmpty())
            QSKIP("the decimal vectors (../shared/data/decimal) are not on this machine");
        int used = 0;
        for (const Sum &product : products) {
            const auto rate = Credits::parse(product.left);
            const auto multiplier = Factor::parse(product.right);
            const auto price = Credits::parse(product.result);
            if (!rate || !multiplier || !price || rate->isNegative() || multiplier->isNegative()
                || rate->units() > 10'000'000'000 || multiplier->units() > 10'000'000)
                continue;
            ++used;
            QVERIFY2(priceOf(1000, {*rate, Credits(), *multiplier, Factor()}) == *price, qPrintable(product.name));
        }
        qInfo("%d vectors", used);
        QVERIFY(used > 20);
    }

    void whatever_the_terms_a_price_keeps_its_promises()
    {
        RandomTerms some{.random = std::mt19937_64(7)};
        for (int i = 0; i < 100'000; ++i) {
            const PriceTerms terms = some.terms();
            const qint64 tokens = some.tokens();
            const Credits price = priceOf(tokens, terms);
            const auto with = [&](auto &&change) {
                PriceTerms other = terms;
                change(other);
                return priceOf(tokens, other);
            };
            if (terms.multiplier.isZero()) {
                QCOMPARE(price, Credits()); // free, whatever the minimum
                continue;
            }
            QVERIFY(price >= terms.minimumCharge);
            QVERIFY(priceOf(tokens + 1 + some.below(1000), terms) >= price);
            QVERIFY(with([&](PriceTerms &t) { t.ratePer1k += Credits::fromUnits(some.below(50)); }) >= price);
            QVERIFY(with([&](PriceTerms &t) { t.multiplier += Factor::fromUnits(some.below(50)); }) >= price);
            QVERIFY(with([&](PriceTerms &t) {
                        t.discount = Factor::fromUnits(std::min<qint64>(10'000, t.discount.units() + some.below(50)));
                    })
                    <= price);
            QCOMPARE(with([](PriceTerms &t) { t.discount = factor(u"1"_s); }), terms.minimumCharge);
            QCOMPARE(with([](PriceTerms &t) { t.minimumCharge = Credits::fromUnits(1'000'000'000'000'000); }).units(),
                     1'000'000'000'000'000);
            // Rounded once: two parts cost together what the whole does, to one unit.
            const PriceTerms bare{terms.ratePer1k, Credits(), terms.multiplier, terms.discount};
            const qint64 part = some.below(tokens);
            const qint64 apart = priceOf(part, bare).units() + priceOf(tokens - part, bare).units();
            QVERIFY(std::abs(apart - priceOf(tokens, bare).units()) <= 1);
        }
    }
};

QTEST_GUILESS_MAIN(PriceOraclesTest)
#include "tst_PriceOracles.moc"
