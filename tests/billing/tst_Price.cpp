#include "billing/Price.h"
#include "common/Bug.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>
#include <random>

using namespace companion;
using namespace companion::billing;

namespace {

Credits credits(const QString &text)
{
    return Credits::parse(text).value();
}
Factor factor(const QString &text)
{
    return Factor::parse(text).value();
}

// Long multiplication and division on strings of decimal digits: slow, and nothing of it is shared with the product.
class Digits
{
public:
    explicit Digits(QString text)
        : m_text(strip(std::move(text)))
    {
    }
    static Digits ofScaled(const QString &decimal) { return Digits(QString(decimal).remove(u'.')); }

    Digits operator*(const Digits &other) const
    {
        QList<int> cells(m_text.size() + other.m_text.size(), 0);
        for (qsizetype i = m_text.size() - 1; i >= 0; --i)
            for (qsizetype j = other.m_text.size() - 1; j >= 0; --j) {
                int carry = m_text[i].digitValue() * other.m_text[j].digitValue();
                for (qsizetype at = i + j + 1; carry > 0; --at) {
                    carry += cells[at];
                    cells[at] = carry % 10;
                    carry /= 10;
                }
            }
        QString text;
        for (const int cell : cells)
            text.append(QChar(u'0' + cell));
        return Digits(text);
    }
    // Without its last `places` digits, rounded half up.
    QString droppedHalfUp(int places) const
    {
        const QString padded = m_text.rightJustified(places + 1, u'0');
        QString kept = padded.chopped(places);
        if (padded[padded.size() - places].digitValue() < 5)
            return kept;
        for (qsizetype at = kept.size() - 1; at >= 0; --at) {
            if (kept[at] != u'9') {
                kept[at] = QChar(kept[at].unicode() + 1);
                return kept;
            }
            kept[at] = u'0';
        }
        return u'1' + kept;
    }

private:
    static QString strip(QString text)
    {
        while (text.size() > 1 && text.startsWith(u'0'))
            text.remove(0, 1);
        return text;
    }
    QString m_text;
};

} // namespace

class PriceTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void a_price_is_the_exact_product_rounded_once_half_up_data()
    {
        QTest::addColumn<qint64>("tokens");
        QTest::addColumn<QString>("rate");
        QTest::addColumn<QString>("multiplier");
        QTest::addColumn<QString>("discount");
        QTest::addColumn<QString>("price");
        const auto row = [](const char *name, qint64 tokens, const char *rate, const char *multiplier,
                            const char *discount, const char *price) {
            QTest::newRow(name) << tokens << QString::fromLatin1(rate) << QString::fromLatin1(multiplier)
                                << QString::fromLatin1(discount) << QString::fromLatin1(price);
        };
        row("a thousand tokens cost the rate", 1000, "0.1", "1", "0", "0.1000");
        row("the minimum", 1, "0.1", "1", "0", "0.0100");
        row("exactly the minimum", 100, "0.1", "1", "0", "0.0100");
        row("just above it", 101, "0.1", "1", "0", "0.0101");
        row("no tokens cost the minimum too", 0, "0.1", "1", "0", "0.0100");
        row("premium", 1234, "0.1", "1.5", "0.3", "0.1296"); // 0.129570
        row("vip", 1234, "0.1", "1.5", "0.5", "0.0926"); // 0.092550
        row("a half goes up", 1005, "0.1", "1", "0.5", "0.0503"); // 0.05025
        row("below a half goes down", 1004, "0.1", "1.0001", "0.5", "0.0502"); // 0.05020502
        row("half is looked at once", 333, "0.1", "1.3333", "0.3", "0.0311"); // 0.03107922
        row("rounding in steps would say 0.0315", 1, "0.1", "315.45", "0.0015", "0.0315"); // 0.0314976825
        row("a character for nothing", 100000, "0.1", "0", "0", "0.0000");
        row("a free tier's whole discount costs the minimum", 100000, "0.1", "1", "1", "0.0100");
        row("many tokens", 1'000'000'000'000, "0.1", "1", "0", "100000000.0000");
    }
    void a_price_is_the_exact_product_rounded_once_half_up()
    {
        QFETCH(qint64, tokens);
        QFETCH(QString, rate);
        QFETCH(QString, multiplier);
        QFETCH(QString, discount);
        QTEST(priceOf(tokens, {credits(rate), credits("0.01"), factor(multiplier), factor(discount)}).toString(),
              "price");
    }

    void a_price_is_what_long_multiplication_says()
    {
        std::mt19937_64 random(1);
        const auto below = [&](qint64 limit) { return std::uniform_int_distribution<qint64>(0, limit)(random); };
        for (int i = 0; i < 20'000; ++i) {
            const qint64 tokens = below(i % 2 ? 9'000 : 10'000'000);
            const PriceTerms terms{Credits::fromUnits(below(50'000)), Credits(), Factor::fromUnits(1 + below(100'000)),
                                   Factor::fromUnits(below(10'000))};
            const Digits product = Digits(QString::number(tokens)) * Digits::ofScaled(terms.ratePer1k.toString())
                * Digits::ofScaled(terms.multiplier.toString())
                * Digits(QString::number(10'000 - terms.discount.units()));
            // 4 places each of rate, multiplier and 1 − discount, and 3 of the thousand; 4 of them stay
            QCOMPARE(priceOf(tokens, terms).units(), product.droppedHalfUp(11).toLongLong());
        }
    }

    // The published decimal vectors, where they are: what is inside our range and rounds half up to 4 places.
    void rounding_is_that_of_the_published_decimal_vectors()
    {
        QFile file(QStringLiteral(QT_TESTCASE_SOURCEDIR "/../../../shared/data/decimal/quantize.decTest"));
        if (!file.open(QIODevice::ReadOnly))
            QSKIP("the decimal vectors (../shared/data/decimal) are not on this machine");
        static const QRegularExpression line(
            R"(^\w+\s+quantize\s+'?(\d+(?:\.\d+)?)'?\s+'?(\d+(?:\.\d+)?|1e-?\d+)'?\s+->\s+'?(\d+(?:\.\d+)?)'?(?:\s|$))",
            QRegularExpression::CaseInsensitiveOption);
        QString rounding;
        int used = 0;
        while (!file.atEnd()) {
            const QString text = QString::fromUtf8(file.readLine()).simplified();
            if (text.startsWith("rounding:"))
                rounding = text.section(u':', 1).simplified();
            const auto match = line.match(text);
            if (rounding != "half_up" || !match.hasMatch())
                continue;
            used += compareRounding(match.captured(1), match.captured(3));
        }
        qInfo("%d vectors", used);
        QVERIFY(used > 20);
    }

    void the_most_tokens_for_credits_are_the_last_that_cost_no_more()
    {
        std::mt19937_64 random(2);
        const auto below = [&](qint64 limit) { return std::uniform_int_distribution<qint64>(0, limit)(random); };
        for (int i = 0; i < 20'000; ++i) {
            const PriceTerms terms{Credits::fromUnits(1 + below(5'000)), Credits::fromUnits(below(200)),
                                   Factor::fromUnits(1 + below(50'000)), Factor::fromUnits(below(9'999))};
            const Credits credit = Credits::fromUnits(below(100'000));
            const qint64 tokens = tokensFor(credit, terms);
            if (tokens < maxTokens)
                QVERIFY(priceOf(tokens + 1, terms) > credit);
            if (tokens > 0)
                QVERIFY(priceOf(tokens, terms) <= credit);
        }
        QCOMPARE(tokensFor(credits("0.0099"), {}), 0);
        QCOMPARE(tokensFor(credits("0.01"), {}), 100);
        QCOMPARE(tokensFor(credits("0"), {.multiplier = Factor()}), maxTokens);
        QCOMPARE(tokensFor(credits("-1"), {}), 0);
    }

    void a_price_never_falls_when_tokens_rise()
    {
        const PriceTerms terms{credits("0.0333"), credits("0.01"), factor("1.3337"), factor("0.3")};
        for (qint64 tokens = 0; tokens < 20'000; ++tokens)
            QVERIFY(priceOf(tokens, terms) <= priceOf(tokens + 1, terms));
    }

    void terms_out_of_range_are_our_own_mistake()
    {
        QVERIFY_THROWS_EXCEPTION(Bug, priceOf(-1, {}));
        QVERIFY_THROWS_EXCEPTION(Bug, priceOf(maxTokens + 1, {}));
        QVERIFY_THROWS_EXCEPTION(Bug, priceOf(1, {.discount = factor("1.0001")}));
        QVERIFY_THROWS_EXCEPTION(Bug, priceOf(1, {.multiplier = factor("-1")}));
        QVERIFY_THROWS_EXCEPTION(Bug,
                                 priceOf(maxTokens, {.ratePer1k = credits("1000000"), .multiplier = factor("1000")}));
    }

private:
    // value → rounded, as a price: the value is split into rate × tokens so that its digits below 4 places are there.
    static int compareRounding(const QString &value, const QString &rounded)
    {
        const qsizetype places = rounded.contains(u'.') ? rounded.size() - rounded.indexOf(u'.') - 1 : 0;
        const QString digits = QString(value).remove(u'.');
        const qsizetype valuePlaces = value.contains(u'.') ? value.size() - value.indexOf(u'.') - 1 : 0;
        const qsizetype extra = valuePlaces - places; // digits that are rounded away
        if (digits.size() > 12 || extra < 0 || extra > 11)
            return 0;
        // tokens × 10^-11 of the smallest unit each, moved so that `extra` digits fall behind it
        qint64 rate = 1;
        qint64 multiplier = 1;
        qint64 percent = 1;
        for (qsizetype shift = 11 - extra; shift > 0; --shift)
            (rate < 10'000'000 ? rate : multiplier < 1'000'000 ? multiplier : percent) *= 10;
        const PriceTerms terms{Credits::fromUnits(rate), Credits(), Factor::fromUnits(multiplier),
                               Factor::fromUnits(10'000 - percent)};
        const qint64 got = priceOf(digits.toLongLong(), terms).units();
        const qint64 wanted = QString(rounded).remove(u'.').toLongLong();
        if (got != wanted)
            qWarning() << value << rounded << got << wanted;
        return got == wanted ? 1 : -1'000'000;
    }
};

QTEST_APPLESS_MAIN(PriceTest)
#include "tst_Price.moc"
