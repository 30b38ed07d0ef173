// Precision and recall of facts on messages written for it, how often ordinary talk gives one, and what it costs.
//   bench_facts [--cases fact_dialogues.txt] [--lines persona_chat.jsonl] [--wrong] [--sample N]
#include "memory/retrieval/Facts.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTextStream>
#include <algorithm>
#include <ctime>
#include <random>

using namespace companion;
using namespace companion::memory;
using namespace Qt::StringLiterals;

namespace {

QTextStream out(stdout);
const QDateTime said(QDate(2023, 5, 10), QTime(12, 0), Qt::UTC);

struct Count
{
    int right = 0;
    int found = 0;
    int wanted = 0;
};

// Kind, subject and value; a leading article does not count.
QString plain(QString fact)
{
    for (const QString &article : {u" = a "_s, u" = an "_s, u" = the "_s})
        fact.replace(article, u" = "_s);
    return fact.simplified().toLower();
}

QStringList factsOf(const QString &message)
{
    QStringList all;
    for (const Fact &fact : factsIn(message, said))
        all += plain((fact.ended ? u"ended "_s : QString()) + toText(fact.kind) + u' ' + fact.subject + u" = "_s
                     + fact.value);
    return all;
}

Count compare(const QString &message, const QString &expected, bool printWrong)
{
    QStringList wanted;
    for (const QString &fact : expected.split(u" & "_s))
        if (fact.trimmed() != u"none")
            wanted += plain(fact);
    const QStringList found = factsOf(message);
    Count count{0, int(found.size()), int(wanted.size())};
    for (const QString &fact : found)
        count.right += wanted.contains(fact);
    if (printWrong && (count.right < count.found || count.right < count.wanted))
        out << message << "\n   wanted " << wanted.join(u" & "_s) << "\n   found  " << found.join(u" & "_s) << '\n';
    return count;
}

// A ratio of sums with the 95 % percentile bootstrap over messages, 2,000 drawings, seed fixed.
template <class Above, class Below>
void printRatio(const QString &name, const std::vector<Count> &counts, const Above &above, const Below &below)
{
    std::mt19937 random(1); // NOLINT
    std::uniform_int_distribution<size_t> pick(0, counts.size() - 1);
    const auto ratio = [&](const auto &each) {
        double a = 0;
        double b = 0;
        for (size_t i = 0; i < counts.size(); ++i) {
            const Count &count = counts[each(i)];
            a += above(count);
            b += below(count);
        }
        return b > 0 ? 100 * a / b : 0;
    };
    std::vector<double> drawn(2000);
    for (double &value : drawn)
        value = ratio([&](size_t) { return pick(random); });
    std::ranges::sort(drawn);
    out << u"%1 %2 % [%3, %4]\n"_s.arg(name, -12)
               .arg(ratio([](size_t i) { return i; }), 0, 'f', 1)
               .arg(drawn[50], 0, 'f', 1)
               .arg(drawn[1949], 0, 'f', 1);
}

void measureCases(const QString &path, bool printWrong)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        out << "skipped: " << path << " is not there\n";
        return;
    }
    std::vector<Count> counts;
    for (const QString &line : QString::fromUtf8(file.readAll()).split(u'\n', Qt::SkipEmptyParts))
        if (!line.startsWith(u'#'))
            counts.push_back(compare(line.section(u'|', 0, 0).trimmed(), line.section(u'|', 1), printWrong));
    int wanted = 0;
    for (const Count &count : counts)
        wanted += count.wanted;
    out << counts.size() << " messages, " << wanted << " facts in them\n";
    printRatio(u"precision"_s, counts, [](const Count &c) { return c.right; }, [](const Count &c) { return c.found; });
    printRatio(u"recall"_s, counts, [](const Count &c) { return c.right; }, [](const Count &c) { return c.wanted; });
}

double processorMs()
{
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return double(time.tv_sec) * 1e3 + double(time.tv_nsec) / 1e6;
}

void measureTalk(const QString &path, int sample)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        out << "skipped: " << path << " is not there\n";
        return;
    }
    QStringList lines;
    while (!file.atEnd())
        lines += QJsonDocument::fromJson(file.readLine()).object()[u"text"].toString();
    int facts = 0;
    int having = 0;
    QStringList told;
    const double begun = processorMs();
    for (const QString &line : lines) {
        const auto found = factsIn(line, said);
        facts += int(found.size());
        having += !found.empty();
        for (const Fact &fact : found)
            told += QString(toText(fact.kind) + u' ' + fact.subject + u" = "_s + fact.value + u"   <- "_s + line);
    }
    out << u"%1 of %2 utterances of ordinary talk state a fact, %3 in all; %4 µs of processor time a message\n"_s
               .arg(having)
               .arg(lines.size())
               .arg(facts)
               .arg((processorMs() - begun) * 1e3 / double(lines.size()), 0, 'f', 0);
    std::ranges::shuffle(told, std::mt19937(7)); // NOLINT
    for (const QString &each : told.first(std::min<qsizetype>(sample, told.size())))
        out << each << '\n';
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addOption({u"cases"_s, {}, u"path"_s, u"tests/bench/fact_dialogues.txt"_s});
    parser.addOption({u"lines"_s, {}, u"path"_s, u"../shared/data/moderation/dialogue/persona_chat.jsonl"_s});
    parser.addOption({u"wrong"_s, {}});
    parser.addOption({u"sample"_s, {}, u"facts to print"_s, u"0"_s});
    parser.process(app);
    measureCases(parser.value(u"cases"_s), parser.isSet(u"wrong"_s));
    measureTalk(parser.value(u"lines"_s), parser.value(u"sample"_s).toInt());
    return 0;
}
