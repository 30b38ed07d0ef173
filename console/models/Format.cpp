#include "console/models/Format.h"

#include <QCoreApplication>
#include <QHash>

namespace companion::console::format {

namespace {

constexpr QChar minusSign(0x2212);
constexpr int finePlaces = 10;

using Fine = FixedPoint<struct FineTag, finePlaces>;

QString translated(const char *text)
{
    return QCoreApplication::translate("Format", text);
}

std::int64_t powerOfTen(int exponent)
{
    std::int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

// Units of 10^-fromPlaces in units of 10^-toPlaces, half away from zero.
std::int64_t rounded(std::int64_t units, int fromPlaces, int toPlaces)
{
    const std::int64_t divisor = powerOfTen(fromPlaces - toPlaces);
    const std::int64_t whole = units / divisor;
    const std::int64_t rest = units % divisor;
    return whole + (2 * std::abs(rest) >= divisor ? (units < 0 ? -1 : 1) : 0);
}

QString unitsText(std::int64_t units, int places, const QLocale &locale)
{
    const std::int64_t scale = powerOfTen(places);
    QString text = locale.toString(static_cast<qlonglong>(std::abs(units) / scale));
    if (places > 0)
        text += locale.decimalPoint()
            + QString::number(static_cast<qlonglong>(std::abs(units) % scale)).rightJustified(places, u'0');
    return units < 0 ? QString(minusSign + text) : text;
}

} // namespace

QString decimal(const QString &text, int places, const QLocale &locale)
{
    const auto value = Fine::parse(text);
    return value ? unitsText(rounded(value->units(), finePlaces, places), places, locale) : text;
}

QString credits(Credits amount, int places, const QLocale &locale)
{
    return unitsText(rounded(amount.units(), Credits::places, places), places, locale);
}

QString signedCredits(Credits amount, const QLocale &locale)
{
    const QString text = credits(amount, Credits::places, locale);
    return amount.units() > 0 ? QString(u'+' + text) : text;
}

QString usd(const QString &decimalText, int places, const QLocale &locale)
{
    const QString text = decimal(decimalText, places, locale);
    return text.startsWith(minusSign) ? QString(minusSign + QStringLiteral("$") + text.mid(1)) : QString(u'$' + text);
}

QString money(const QString &amount, const QString &currency, const QLocale &locale)
{
    static const QHash<QString, QString> signs{{QStringLiteral("USD"), QStringLiteral("$")},
                                               {QStringLiteral("EUR"), QString(QChar(0x20AC))},
                                               {QStringLiteral("GBP"), QString(QChar(0x00A3))},
                                               {QStringLiteral("JPY"), QString(QChar(0x00A5))}};
    const qsizetype point = amount.indexOf(u'.');
    const int places = point < 0 ? 0 : static_cast<int>(amount.size() - point - 1);
    const QString text = decimal(amount, places, locale);
    const bool negative = text.startsWith(minusSign);
    const QString digits = negative ? text.mid(1) : text;
    const QString sign = signs.value(currency, currency + QChar(0x00A0));
    return negative ? QString(minusSign + sign + digits) : QString(sign + digits);
}

QString factor(Factor value)
{
    QString text = value.toString();
    while (text.endsWith(u'0'))
        text.chop(1);
    if (text.endsWith(u'.'))
        text.chop(1);
    return text + QChar(0x00D7);
}

QString count(qint64 value, const QLocale &locale)
{
    return unitsText(value, 0, locale);
}

QString change(const QString &current, const QString &previous, const QLocale &locale)
{
    const auto now = Fine::parse(current);
    const auto before = Fine::parse(previous);
    if (now && before && *now == *before)
        return unitsText(0, 1, locale) + QStringLiteral(" %");
    if (!now || !before || before->isZero())
        return {};
    __extension__ using Wide = __int128;
    const Wide thousandths = (Wide(now->units()) - before->units()) * 10'000 / std::abs(before->units());
    const auto tenths = static_cast<std::int64_t>((thousandths + (thousandths < 0 ? -5 : 5)) / 10);
    const QString text = unitsText(tenths, 1, locale) + QStringLiteral(" %");
    return tenths > 0 ? QString(u'+' + text) : text;
}

int compare(const QString &current, const QString &previous)
{
    const auto now = Fine::parse(current);
    const auto before = Fine::parse(previous);
    if (!now || !before || *now == *before)
        return 0;
    return *now < *before ? -1 : 1;
}

static QString spanText(qint64 seconds)
{
    if (seconds < 3600)
        return translated(QT_TRANSLATE_NOOP("Format", "%1 min")).arg(seconds / 60);
    return translated(QT_TRANSLATE_NOOP("Format", "%1 h")).arg(seconds / 3600);
}

QString relativeTime(const QDateTime &time, const QDateTime &now, const QLocale &locale)
{
    if (!time.isValid())
        return {};
    const qint64 ago = time.secsTo(now);
    if (std::abs(ago) < 60)
        return translated(QT_TRANSLATE_NOOP("Format", "now"));
    if (std::abs(ago) < 24 * 3600)
        return ago > 0 ? translated(QT_TRANSLATE_NOOP("Format", "%1 ago")).arg(spanText(ago))
                       : translated(QT_TRANSLATE_NOOP("Format", "in %1")).arg(spanText(-ago));
    const QDate date = time.toLocalTime().date();
    const QDate today = now.toLocalTime().date();
    if (date == today.addDays(-1))
        return translated(QT_TRANSLATE_NOOP("Format", "yesterday"));
    return locale.toString(date, date.year() == today.year() ? QStringLiteral("d MMM") : QStringLiteral("d MMM yyyy"));
}

QString exactTime(const QDateTime &time, const QLocale &locale)
{
    if (!time.isValid())
        return {};
    const QDateTime local = time.toLocalTime();
    return locale.toString(local, QStringLiteral("d MMM yyyy, HH:mm:ss")) + u' ' + local.timeZoneAbbreviation();
}

QString day(const QDateTime &utcDay, const QLocale &locale)
{
    return locale.toString(utcDay.toUTC().date(), QStringLiteral("ddd d MMM"));
}

QString milliseconds(int value_ms, const QLocale &locale)
{
    if (value_ms < 1000)
        return unitsText(value_ms, 0, locale) + QStringLiteral(" ms");
    return unitsText(rounded(value_ms, 3, 1), 1, locale) + QStringLiteral(" s");
}

QString words(const QString &snakeCase)
{
    QString text = snakeCase;
    text.replace(u'_', u' ');
    if (!text.isEmpty())
        text[0] = text[0].toUpper();
    return text;
}

} // namespace companion::console::format
