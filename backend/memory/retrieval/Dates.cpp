#include "memory/retrieval/Dates.h"

#include "memory/retrieval/DateWords.h"

#include <QLocale>
#include <algorithm>
#include <cstdlib>
#include <optional>

namespace companion::memory {

namespace {

using Kind = DateWord::Kind;

struct Token
{
    qsizetype start = 0;
    qsizetype length = 0;
    DateWord word;
    int digits = -1;      // the number, where it is written in digits
    int digitCount = 0;
    bool ordinal = false; // "5th", "5."
};

DateSpan dayAt(const QDate &day)
{
    return {day, day};
}

DateSpan weekOf(const QDate &day)
{
    const QDate monday = day.addDays(1 - day.dayOfWeek());
    return {monday, monday.addDays(6)};
}

DateSpan monthOf(int year, int month)
{
    const QDate first(year, month, 1);
    return {first, first.addMonths(1).addDays(-1)};
}

DateSpan yearOf(int year)
{
    return {QDate(year, 1, 1), QDate(year, 12, 31)};
}

// The weekend of the week of that day, moved by weeks.
DateSpan weekendOf(const QDate &day, int weeks)
{
    const QDate saturday = weekOf(day).first.addDays(5 + 7 * qint64(weeks));
    return {saturday, saturday.addDays(1)};
}

DateSpan moved(const QDate &said, DateUnit unit, int count)
{
    switch (unit) {
    case DateUnit::Day:
        return dayAt(said.addDays(count));
    case DateUnit::Week:
        return weekOf(said.addDays(7 * qint64(count)));
    case DateUnit::Weekend: // within a weekend "last weekend" is the one before
        return weekendOf(said, count);
    case DateUnit::Month: {
        const QDate day = said.addMonths(count);
        return monthOf(day.year(), day.month());
    }
    case DateUnit::Year:
        break;
    }
    return yearOf(said.year() + count);
}

std::vector<Token> tokensOf(const QString &lower)
{
    std::vector<Token> tokens;
    for (qsizetype at = 0; at < lower.size();) {
        if (!lower[at].isLetterOrNumber()) {
            ++at;
            continue;
        }
        Token token{.start = at};
        const bool number = lower[at].isDigit();
        while (at < lower.size() && (number ? lower[at].isDigit() : lower[at].isLetter()))
            ++at;
        token.length = std::max<qsizetype>(at - token.start, 1);
        at = token.start + token.length;
        const QStringView text = QStringView(lower).sliced(token.start, token.length);
        if (number) {
            token.digitCount = int(token.length);
            token.digits = token.length <= 4 ? text.toInt() : -1;
            const QStringView suffix = QStringView(lower).sliced(at).left(2);
            token.ordinal = suffix == u"st" || suffix == u"nd" || suffix == u"rd" || suffix == u"th";
            token.length += token.ordinal ? 2 : 0;
            at = token.start + token.length;
            if (lower.mid(at, 1) == u".")
                token.ordinal = true;
        } else {
            token.word = dateWordOf(text);
        }
        tokens.push_back(token);
    }
    return tokens;
}

// Tries each form at a place, the longest first.
class DateReader
{
public:
    DateReader(const QString &lower, const QDate &said)
        : m_text(lower)
        , m_said(said)
        , m_tokens(tokensOf(lower))
    {
    }

    std::vector<DatedPhrase> read()
    {
        std::vector<DatedPhrase> found;
        for (size_t i = 0; i < m_tokens.size();) {
            m_end = i;
            if (const auto span = at(i); span && span->first.isValid() && span->last.isValid()) {
                const Token &last = m_tokens[m_end - 1];
                const qsizetype start = m_tokens[i].start;
                found.push_back({start, last.start + last.length - start, *span});
                i = m_end;
            } else {
                ++i;
            }
        }
        return found;
    }

private:
    Kind kind(size_t i) const { return i < m_tokens.size() ? m_tokens[i].word.kind : Kind::None; }
    int value(size_t i) const { return m_tokens[i].word.value; }
    QStringView text(size_t i) const
    {
        return i < m_tokens.size() ? QStringView(m_text).sliced(m_tokens[i].start, m_tokens[i].length) : QStringView();
    }
    // Between two words of one phrase stands nothing but spaces, a comma or a hyphen.
    bool joined(size_t i) const
    {
        if (i == 0 || i >= m_tokens.size())
            return false;
        const qsizetype from = m_tokens[i - 1].start + m_tokens[i - 1].length;
        return std::ranges::all_of(QStringView(m_text).sliced(from, m_tokens[i].start - from),
                                   [](QChar c) { return c.isSpace() || c == u',' || c == u'-' || c == u'.'; });
    }
    std::optional<DateSpan> to(size_t end, const DateSpan &span)
    {
        m_end = end;
        return span;
    }
    std::optional<int> number(size_t i) const
    {
        if (i >= m_tokens.size())
            return std::nullopt;
        if (kind(i) == Kind::Number)
            return value(i);
        const int digits = m_tokens[i].digits;
        return digits > 0 && digits <= 1000 && !m_tokens[i].ordinal ? std::optional(digits) : std::nullopt;
    }
    std::optional<int> year(size_t i) const
    {
        const bool fits = i < m_tokens.size() && m_tokens[i].digitCount == 4 && m_tokens[i].digits >= 1900
            && m_tokens[i].digits <= 2100;
        return fits ? std::optional(m_tokens[i].digits) : std::nullopt;
    }
    std::optional<int> dayNumber(size_t i) const
    {
        const bool fits =
            i < m_tokens.size() && m_tokens[i].digitCount <= 2 && m_tokens[i].digits >= 1 && m_tokens[i].digits <= 31;
        return fits ? std::optional(m_tokens[i].digits) : std::nullopt;
    }

    std::optional<DateSpan> at(size_t i)
    {
        if (const auto span = written(i))
            return span;
        switch (kind(i)) {
        case Kind::Day:
            return namedDay(i);
        case Kind::Past:
            return beside(i, -1);
        case Kind::Next:
            return beside(i, 1);
        case Kind::This:
            return beside(i, 0);
        case Kind::Weekday:
        case Kind::Unit:
            return kind(i + 1) == Kind::PastAfter ? beside(i, -1, i, i + 2) : std::nullopt;
        case Kind::BackFor:
            return counted(i + 1, -1, false);
        case Kind::In:
            return after(i);
        case Kind::Article:
            return dayBeforeYesterday(i);
        default:
            return counted(i, -1, true);
        }
    }

    std::optional<DateSpan> namedDay(size_t i)
    {
        const QStringView word = text(i);
        // "am Morgen", "heute Morgen", "por la mañana" are the morning.
        static constexpr const char16_t *partsBefore[] = {u"am",   u"la",    u"guten",  u"jeden",
                                                          u"esta", u"heute", u"gestern"};
        if ((word == u"morgen" || word == u"mañana") && i > 0
            && std::ranges::any_of(partsBefore, [&](const char16_t *each) { return text(i - 1) == QStringView(each); }))
            return std::nullopt;
        return to(i + 1, dayAt(m_said.addDays(value(i))));
    }

    std::optional<DateSpan> dayBeforeYesterday(size_t i)
    {
        if (text(i + 1) == u"day" && text(i + 2) == u"before" && text(i + 3) == u"yesterday")
            return to(i + 4, dayAt(m_said.addDays(-2)));
        if (text(i + 1) == u"day" && text(i + 2) == u"after" && text(i + 3) == u"tomorrow")
            return to(i + 4, dayAt(m_said.addDays(2)));
        if (text(i + 1) == u"week" && text(i + 2) == u"before" && text(i + 3) == u"last")
            return to(i + 4, weekOf(m_said.addDays(-14)));
        return std::nullopt;
    }

    std::optional<DateSpan> beside(size_t i, int side) { return beside(i, side, i + 1, i + 2); }

    // last, this or next; what it stands with; where the phrase ends
    std::optional<DateSpan> beside(size_t i, int side, size_t what, size_t end)
    {
        if (!joined(i + 1))
            return std::nullopt;
        switch (kind(what)) {
        case Kind::Unit:
            if (DateUnit(value(what)) == DateUnit::Day)
                return std::nullopt; // "these days"
            return to(end, moved(m_said, DateUnit(value(what)), side));
        case Kind::Weekday:
            return to(end, dayAt(weekday(value(what), side)));
        case Kind::Part:
            return side == -1 && text(what) == u"night" ? to(end, dayAt(m_said.addDays(-1)))
                : side == 0                             ? to(end, dayAt(m_said))
                                                        : std::nullopt;
        case Kind::Month:
            return to(end, besideMonth(value(what), side));
        default:
            return std::nullopt;
        }
    }

    // The last one before the day, the first one after it, or that of its week.
    QDate weekday(int number, int side) const
    {
        const int ahead = (number - m_said.dayOfWeek() + 7) % 7;
        if (side == 0)
            return weekOf(m_said).first.addDays(number - 1);
        if (side > 0)
            return m_said.addDays(ahead == 0 ? 7 : ahead);
        return m_said.addDays(ahead - 7);
    }

    DateSpan besideMonth(int month, int side) const
    {
        int year = m_said.year();
        if (side < 0 && month >= m_said.month())
            --year;
        if (side > 0 && month <= m_said.month())
            ++year;
        return monthOf(year, month);
    }

    // "two weeks ago", "vor zwei Wochen", "in three days"
    std::optional<DateSpan> counted(size_t i, int side, bool needsAgo)
    {
        size_t at = i;
        if (kind(at) == Kind::Number && (text(at) == u"a") && kind(at + 1) == Kind::Number)
            ++at; // a couple
        const auto count = number(at);
        if (!count)
            return std::nullopt;
        ++at;
        if (kind(at) == Kind::Of)
            ++at;
        if (kind(at) != Kind::Unit || !joined(at))
            return std::nullopt;
        const auto unit = DateUnit(value(at));
        ++at;
        if (needsAgo) {
            if (kind(at) != Kind::Ago)
                return std::nullopt;
            ++at;
        }
        return to(at, moved(m_said, unit, side * *count));
    }

    // in June, in 2019, since May 2020, in three weeks
    std::optional<DateSpan> after(size_t i)
    {
        size_t what = i + 1;
        if (text(i) == u"back" && kind(what) == Kind::In)
            ++what;
        if (kind(what) == Kind::Month && joined(what)) {
            const auto whole = written(what); // "in May 2020"
            return whole ? whole : to(what + 1, nearestMonth(value(what)));
        }
        if (const auto told = year(what))
            return to(what + 1, yearOf(*told));
        static constexpr const char16_t *forward[] = {u"in", u"en"};
        if (std::ranges::any_of(forward, [&](const char16_t *each) { return text(i) == QStringView(each); }))
            return counted(what, 1, false);
        return std::nullopt;
    }

    DateSpan nearestMonth(int month) const
    {
        int year = m_said.year();
        const int ahead = month - m_said.month();
        if (ahead > 5)
            --year;
        else if (ahead < -6)
            ++year;
        return monthOf(year, month);
    }

    // "5 May 2023", "the 5th of May", "May 5", "May 2023", "2023-05-08"
    std::optional<DateSpan> written(size_t i)
    {
        if (const auto span = iso(i))
            return span;
        if (const auto day = dayNumber(i)) {
            const size_t month = kind(i + 1) == Kind::Of ? i + 2 : i + 1;
            return kind(month) == Kind::Month && joined(i + 1) && joined(month) ? dayOf(*day, value(month), month + 1)
                                                                                : std::nullopt;
        }
        if (kind(i) != Kind::Month || !joined(i + 1))
            return std::nullopt;
        if (const auto told = year(i + 1))
            return to(i + 2, monthOf(*told, value(i)));
        if (const auto told = kind(i + 1) == Kind::Of ? year(i + 2) : std::nullopt)
            return to(i + 3, monthOf(*told, value(i)));
        const auto day = dayNumber(i + 1);
        return day ? dayOf(*day, value(i), i + 2) : std::nullopt;
    }

    std::optional<DateSpan> iso(size_t i)
    {
        const auto told = year(i);
        if (!told || i + 2 >= m_tokens.size() || m_tokens[i + 1].digitCount != 2 || m_tokens[i + 2].digitCount != 2)
            return std::nullopt;
        const QDate day(*told, m_tokens[i + 1].digits, m_tokens[i + 2].digits);
        const bool hyphens =
            m_text.mid(m_tokens[i].start + 4, 1) == u"-" && m_text.mid(m_tokens[i].start + 7, 1) == u"-";
        return day.isValid() && hyphens ? to(i + 3, dayAt(day)) : std::nullopt;
    }

    std::optional<DateSpan> dayOf(int day, int month, size_t end)
    {
        const size_t yearAt = kind(end) == Kind::Of ? end + 1 : end;
        if (const auto told = joined(end) ? year(yearAt) : std::nullopt)
            return to(yearAt + 1, dayAt(QDate(*told, month, day)));
        return to(end, dayAt(nearestDay(month, day)));
    }

    QDate nearestDay(int month, int day) const
    {
        QDate best;
        for (const int year : {m_said.year(), m_said.year() - 1, m_said.year() + 1}) {
            const QDate candidate(year, month, day);
            if (candidate.isValid()
                && (!best.isValid() || std::abs(candidate.daysTo(m_said)) < std::abs(best.daysTo(m_said))))
                best = candidate;
        }
        return best;
    }

    const QString &m_text;
    QDate m_said;
    std::vector<Token> m_tokens;
    size_t m_end = 0;
};

} // namespace

std::vector<DatedPhrase> datesIn(QStringView text, const QDate &said)
{
    if (!said.isValid())
        return {};
    QString lower = text.toString().toLower();
    if (lower.size() != text.size())
        lower = text.toString(); // a script whose lower case is longer: places must stay true
    return DateReader(lower, said).read();
}

QString nameOf(const DateSpan &span)
{
    const QLocale english = QLocale::c();
    const auto day = [&](const QDate &date) { return english.toString(date, QStringLiteral("d MMMM yyyy")); };
    if (span.first == span.last)
        return day(span.first);
    const bool wholeMonths = span.first.day() == 1 && span.last.addDays(1).day() == 1;
    if (wholeMonths && span.first.month() == span.last.month() && span.first.year() == span.last.year())
        return english.toString(span.first, QStringLiteral("MMMM yyyy"));
    if (wholeMonths && span.first.dayOfYear() == 1 && span.last == QDate(span.first.year(), 12, 31))
        return QString::number(span.first.year());
    if (span.first.month() == span.last.month() && span.first.year() == span.last.year())
        return QString(QString::number(span.first.day()) + u'–' + day(span.last));
    return QString(day(span.first) + QStringLiteral(" – ") + day(span.last));
}

} // namespace companion::memory
