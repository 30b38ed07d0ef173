#include "memory/retrieval/DateWords.h"

#include <QHash>
#include <initializer_list>
#include <utility>

namespace companion::memory {

namespace {

using Kind = DateWord::Kind;
using Names = std::initializer_list<const char16_t *>;
using WordTable = QHash<QStringView, DateWord>;

void add(WordTable &table, Kind kind, int value, Names names)
{
    for (const char16_t *name : names)
        table.insert(QStringView(name), {kind, value});
}

void addDaysAndUnits(WordTable &table)
{
    add(table, Kind::Day, 0, {u"today", u"heute", u"hoy"});
    add(table, Kind::Day, 0, {u"tonight"});
    add(table, Kind::Day, -1, {u"yesterday", u"gestern", u"ayer"});
    add(table, Kind::Day, 1, {u"tomorrow", u"morgen", u"mañana"});
    add(table, Kind::Day, -2, {u"vorgestern", u"anteayer"});
    add(table, Kind::Day, 2, {u"übermorgen"});
    add(table, Kind::Part, 0, {u"night", u"morning", u"afternoon", u"evening"});
    const auto unit = [&](DateUnit value, Names names) { add(table, Kind::Unit, int(value), names); };
    unit(DateUnit::Day, {u"day", u"days", u"tag", u"tage", u"tagen", u"día", u"días", u"dia", u"dias"});
    unit(DateUnit::Week, {u"week", u"weeks", u"woche", u"wochen", u"semana", u"semanas"});
    unit(DateUnit::Weekend, {u"weekend", u"weekends", u"wochenende", u"wochenenden"});
    unit(DateUnit::Month, {u"month", u"months", u"monat", u"monate", u"monaten", u"mes", u"meses"});
    unit(DateUnit::Year, {u"year", u"years", u"jahr", u"jahre", u"jahren", u"año", u"años"});
}

void addNames(WordTable &table)
{
    static constexpr const char16_t *weekdays[][3] = {{u"monday", u"montag", u"lunes"},
                                                      {u"tuesday", u"dienstag", u"martes"},
                                                      {u"wednesday", u"mittwoch", u"miércoles"},
                                                      {u"thursday", u"donnerstag", u"jueves"},
                                                      {u"friday", u"freitag", u"viernes"},
                                                      {u"saturday", u"samstag", u"sábado"},
                                                      {u"sunday", u"sonntag", u"domingo"}};
    static constexpr const char16_t *months[][4] = {{u"january", u"jan", u"januar", u"enero"},
                                                    {u"february", u"feb", u"februar", u"febrero"},
                                                    {u"march", u"mar", u"märz", u"marzo"},
                                                    {u"april", u"apr", u"april", u"abril"},
                                                    {u"may", u"may", u"mai", u"mayo"},
                                                    {u"june", u"jun", u"juni", u"junio"},
                                                    {u"july", u"jul", u"juli", u"julio"},
                                                    {u"august", u"aug", u"august", u"agosto"},
                                                    {u"september", u"sept", u"september", u"septiembre"},
                                                    {u"october", u"oct", u"oktober", u"octubre"},
                                                    {u"november", u"nov", u"november", u"noviembre"},
                                                    {u"december", u"dec", u"dezember", u"diciembre"}};
    int number = 0;
    for (const auto &names : weekdays) {
        ++number;
        for (const char16_t *name : names)
            table.insert(QStringView(name), {Kind::Weekday, number});
    }
    number = 0;
    for (const auto &names : months) {
        ++number;
        for (const char16_t *name : names)
            table.insert(QStringView(name), {Kind::Month, number});
    }
}

void addNumbers(WordTable &table)
{
    static constexpr std::initializer_list<Names> numbers{{u"one", u"a", u"an", u"einem", u"einer", u"un", u"una"},
                                                          {u"two", u"couple", u"zwei", u"dos"},
                                                          {u"three", u"drei", u"tres"},
                                                          {u"four", u"vier", u"cuatro"},
                                                          {u"five", u"fünf", u"cinco"},
                                                          {u"six", u"sechs", u"seis"},
                                                          {u"seven", u"sieben", u"siete"},
                                                          {u"eight", u"acht", u"ocho"},
                                                          {u"nine", u"neun", u"nueve"},
                                                          {u"ten", u"zehn", u"diez"},
                                                          {u"eleven", u"elf"},
                                                          {u"twelve", u"zwölf", u"doce"}};
    int number = 0;
    for (const Names &names : numbers)
        add(table, Kind::Number, ++number, names);
}

void addGlue(WordTable &table)
{
    add(table, Kind::Past, 0,
        {u"last", u"past", u"previous", u"letzte", u"letzten", u"letzter", u"letztes", u"letztem", u"vergangene",
         u"vergangenen", u"vorige", u"vorigen"});
    add(table, Kind::PastAfter, 0, {u"pasado", u"pasada"});
    add(table, Kind::This, 0, {u"this", u"diese", u"diesen", u"dieses", u"diesem", u"este", u"esta"});
    add(table, Kind::Next, 0,
        {u"next", u"coming", u"nächste", u"nächsten", u"nächster", u"nächstes", u"kommende", u"kommenden", u"próximo",
         u"próxima"});
    add(table, Kind::Ago, 0, {u"ago"});
    add(table, Kind::BackFor, 0, {u"vor", u"hace"});
    add(table, Kind::In, 0,
        {u"in", u"im", u"en", u"since", u"until", u"till", u"by", u"during", u"early", u"late", u"mid", u"through",
         u"seit", u"desde", u"from", u"around", u"back"});
    add(table, Kind::Of, 0, {u"of", u"de", u"del"});
    add(table, Kind::Article, 0, {u"the", u"el", u"la", u"am", u"on", u"den", u"der"});
}

WordTable makeTable()
{
    WordTable table;
    addDaysAndUnits(table);
    addNames(table);
    addNumbers(table);
    addGlue(table);
    return table;
}

} // namespace

DateWord dateWordOf(QStringView lower)
{
    static const WordTable table = makeTable();
    return table.value(lower);
}

} // namespace companion::memory
