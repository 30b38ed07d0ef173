// Recall of evidence turns on the LoCoMo conversations; docs/memory-retrieval.md says what is counted.
//   bench_locomo [--file conversations.json] [--set weight=value]... [--cross-validate] [--no-captions]
#include "memory/embedders/WordVectors.h"
#include "memory/retrieval/Corpus.h"
#include "memory/retrieval/Ranking.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>
#include <QRegularExpression>
#include <QTextStream>
#include <QTimeZone>
#include <algorithm>
#include <functional>
#include <map>
#include <random>

using namespace companion::memory;
using namespace Qt::StringLiterals;

namespace {

struct Asked
{
    Question question;
    QStringList evidence;
    int category = 0;
};

struct Conversation
{
    Corpus corpus{WordVectors::builtIn().identity().dimension, &WordVectors::builtIn()};
    std::map<QUuid, QString> turnOf;
    std::map<QString, QString> textOf;
    std::vector<Asked> asked;
};

QUuid idOf(const QString &name)
{
    return QUuid::createUuidV5(QUuid(), name);
}

QDateTime timeOf(const QString &text)
{
    QDateTime time = QLocale::c().toDateTime(text, u"h:mm ap 'on' d MMMM, yyyy"_s);
    time.setTimeSpec(Qt::UTC);
    return time;
}

// "D8:6; D9:17" and "D:11:26" among them: the ids that a turn has, each once.
QStringList evidenceOf(const QJsonArray &array, const std::map<QString, QString> &textOf)
{
    static const QRegularExpression id(u"D:?(\\d+):(\\d+)"_s);
    QStringList out;
    for (const QJsonValue &value : array)
        for (auto matches = id.globalMatch(value.toString()); matches.hasNext();) {
            const auto match = matches.next();
            const QString turn = u"D%1:%2"_s.arg(match.captured(1).toInt()).arg(match.captured(2).toInt());
            if (textOf.contains(turn) && !out.contains(turn))
                out += turn;
        }
    return out;
}

void readSession(Conversation &into, const QJsonObject &told, const QString &session, bool captions)
{
    const QDateTime begun = timeOf(told[session + u"_date_time"].toString());
    qint64 position = 0;
    for (const QJsonValue &value : told[session].toArray()) {
        const QJsonObject turn = value.toObject();
        QString text = turn[u"text"].toString();
        if (captions && turn.contains(u"blip_caption"))
            text += u" [shares "_s + turn[u"blip_caption"].toString() + u']';
        const QString name = turn[u"dia_id"].toString();
        into.turnOf[idOf(name)] = name;
        into.textOf[name] = turn[u"speaker"].toString() + u": "_s + text;
        const bool first = turn[u"speaker"] == told[u"speaker_a"];
        into.corpus.append({.id = idOf(name),
                            .conversation = idOf(session),
                            .scope = {},
                            .position = position++,
                            .speaker = first ? Speaker::User : Speaker::Companion,
                            .saidAt_ms = begun.addSecs(position * 20).toMSecsSinceEpoch(),
                            .digest = digestOf(text, begun.date()),
                            .vector = toHalves(WordVectors::builtIn().embed(text))});
    }
}

Conversation readConversation(const QJsonObject &source, bool captions)
{
    Conversation out;
    const QJsonObject told = source[u"conversation"].toObject();
    QDateTime last;
    for (int number = 1; number < 100; ++number) {
        const QString session = u"session_%1"_s.arg(number);
        if (!told[session].isArray())
            continue;
        readSession(out, told, session, captions);
        last = timeOf(told[session + u"_date_time"].toString());
    }
    for (const QJsonValue &value : source[u"qa"].toArray()) {
        const QJsonObject qa = value.toObject();
        Asked asked;
        asked.question.text = qa[u"question"].toString();
        asked.question.askedAt = last.addDays(1);
        asked.question.userName = told[u"speaker_a"].toString();
        asked.question.companionName = told[u"speaker_b"].toString();
        asked.question.vector = WordVectors::builtIn().embed(bareQuestion(asked.question));
        asked.category = qa[u"category"].toInt();
        asked.evidence = evidenceOf(qa[u"evidence"].toArray(), out.textOf);
        if (!asked.evidence.isEmpty())
            out.asked.push_back(asked);
    }
    return out;
}

struct Mark
{
    int category;
    double at5;
    double at10;
};

double shareFound(const std::vector<Recalled> &found, const Conversation &in, const Asked &asked, size_t k)
{
    int hits = 0;
    for (size_t i = 0; i < std::min(k, found.size()); ++i)
        hits += asked.evidence.contains(in.turnOf.at(found[i].id));
    return double(hits) / double(asked.evidence.size());
}

std::vector<Mark> measure(const std::vector<const Conversation *> &all, const RankingWeights &weights)
{
    std::vector<Mark> marks;
    for (const Conversation *in : all)
        for (const Asked &asked : in->asked) {
            const auto found = in->corpus.rank(asked.question, 10, weights);
            marks.push_back({asked.category, shareFound(found, *in, asked, 5), shareFound(found, *in, asked, 10)});
        }
    return marks;
}

std::vector<Mark> measure(const std::vector<Conversation> &all, const RankingWeights &weights)
{
    std::vector<const Conversation *> each;
    for (const Conversation &in : all)
        each.push_back(&in);
    return measure(each, weights);
}

struct Interval
{
    double mean = 0;
    double low = 0;
    double high = 0;
};

// 95 %, percentile bootstrap over questions, 2,000 drawings, seed fixed.
Interval bootstrap(const std::vector<double> &values)
{
    if (values.empty())
        return {};
    std::mt19937 random(1); // NOLINT
    std::uniform_int_distribution<size_t> pick(0, values.size() - 1);
    std::vector<double> means(2000);
    for (double &mean : means) {
        for (size_t i = 0; i < values.size(); ++i)
            mean += values[pick(random)];
        mean /= double(values.size());
    }
    std::ranges::sort(means);
    double sum = 0;
    for (const double value : values)
        sum += value;
    return {sum / double(values.size()), means[50], means[1949]};
}

QTextStream out(stdout);

void printRow(const QString &name, const std::vector<Mark> &marks, const std::function<bool(const Mark &)> &counts)
{
    std::vector<double> at5;
    std::vector<double> at10;
    for (const Mark &mark : marks)
        if (counts(mark)) {
            at5.push_back(100 * mark.at5);
            at10.push_back(100 * mark.at10);
        }
    const Interval five = bootstrap(at5);
    const Interval ten = bootstrap(at10);
    out << u"%1 %2   %3 [%4, %5]   %6 [%7, %8]\n"_s.arg(name, -34)
               .arg(at5.size(), 5)
               .arg(five.mean, 5, 'f', 1)
               .arg(five.low, 0, 'f', 1)
               .arg(five.high, 0, 'f', 1)
               .arg(ten.mean, 5, 'f', 1)
               .arg(ten.low, 0, 'f', 1)
               .arg(ten.high, 0, 'f', 1);
}

void printTable(const QString &title, const std::vector<Mark> &marks)
{
    static const std::map<int, QString> names{
        {1, u"1 multi-hop"_s}, {2, u"2 temporal"_s}, {3, u"3 open"_s}, {4, u"4 single-hop"_s}, {5, u"5 adversarial"_s}};
    out << '\n' << title << '\n';
    out << u"%1 %2   recall@5 [95 %]       recall@10 [95 %]\n"_s.arg(u"questions"_s, -34).arg(u"n"_s, 5);
    for (const auto &each : names)
        printRow(each.second, marks, [&](const Mark &mark) { return mark.category == each.first; });
    printRow(u"all but 5"_s, marks, [](const Mark &mark) { return mark.category != 5; });
    printRow(u"all"_s, marks, [](const Mark &) { return true; });
}

using Setter = std::function<void(RankingWeights &, double)>;
using Getter = std::function<double(const RankingWeights &)>;

const std::map<QString, Setter> &setters()
{
#define WEIGHT(name) {u"" #name ""_s, [](RankingWeights &w, double v) { w.name = static_cast<decltype(w.name)>(v); }}
    static const std::map<QString, Setter> all{WEIGHT(lexical),      WEIGHT(k1),           WEIGHT(b),
                                               WEIGHT(meaning),      WEIGHT(pair),         WEIGHT(pairWindow),
                                               WEIGHT(nameTerm),     WEIGHT(speaker),      WEIGHT(question),
                                               WEIGHT(before),       WEIGHT(answer),       WEIGHT(after),
                                               WEIGHT(secondBefore), WEIGHT(secondAfter),  WEIGHT(near),
                                               WEIGHT(nearDecay),    WEIGHT(speakerAfter), WEIGHT(questionAfter),
                                               WEIGHT(shortness),    WEIGHT(shortLength),  WEIGHT(date),
                                               WEIGHT(saidThen),     WEIGHT(recency),      WEIGHT(recencyHalf_days)};
#undef WEIGHT
    return all;
}

const std::map<QString, Getter> &getters()
{
#define WEIGHT(name) {u"" #name ""_s, [](const RankingWeights &w) { return double(w.name); }}
    static const std::map<QString, Getter> all{WEIGHT(lexical),      WEIGHT(k1),           WEIGHT(b),
                                               WEIGHT(meaning),      WEIGHT(pair),         WEIGHT(pairWindow),
                                               WEIGHT(nameTerm),     WEIGHT(speaker),      WEIGHT(question),
                                               WEIGHT(before),       WEIGHT(answer),       WEIGHT(after),
                                               WEIGHT(secondBefore), WEIGHT(secondAfter),  WEIGHT(near),
                                               WEIGHT(nearDecay),    WEIGHT(speakerAfter), WEIGHT(questionAfter),
                                               WEIGHT(shortness),    WEIGHT(shortLength),  WEIGHT(date),
                                               WEIGHT(saidThen),     WEIGHT(recency),      WEIGHT(recencyHalf_days)};
#undef WEIGHT
    return all;
}

// What weights are chosen by: the mean of both recalls over all questions.
double objective(const std::vector<Mark> &marks)
{
    double sum = 0;
    for (const Mark &mark : marks)
        sum += mark.at5 + mark.at10;
    return marks.empty() ? 0 : 50 * sum / double(marks.size());
}

// What cross-validation may choose from. It starts with the first of each.
const std::vector<std::pair<QString, std::vector<double>>> &choices()
{
    static const std::vector<std::pair<QString, std::vector<double>>> grid{{u"before"_s, {0.2, 0.35, 0.5}},
                                                                           {u"answer"_s, {0.0, 0.2, 0.4, 0.6}},
                                                                           {u"after"_s, {0.1, 0.2, 0.3}},
                                                                           {u"secondBefore"_s, {0.0, 0.15, 0.3}},
                                                                           {u"near"_s, {0.0, 0.2, 0.4, 0.6}},
                                                                           {u"meaning"_s, {0.15, 0.3, 0.5}},
                                                                           {u"pair"_s, {0.0, 0.3, 0.5}},
                                                                           {u"b"_s, {0.5, 0.3, 0.15}},
                                                                           {u"k1"_s, {1.2, 0.9}},
                                                                           {u"speaker"_s, {0.0, 0.2, 0.4}},
                                                                           {u"speakerAfter"_s, {0.0, 0.2, 0.4}},
                                                                           {u"questionAfter"_s, {0.0, 0.1, 0.2}},
                                                                           {u"shortness"_s, {0.0, 0.3, 0.6}},
                                                                           {u"date"_s, {0.0, 0.15, 0.3}},
                                                                           {u"saidThen"_s, {0.0, 0.1, 0.2, 0.3}}};
    return grid;
}

RankingWeights chosenOn(const std::vector<const Conversation *> &seen)
{
    RankingWeights best;
    for (const auto &[name, values] : choices())
        setters().at(name)(best, values.front());
    double most = objective(measure(seen, best));
    for (int pass = 0; pass < 2; ++pass)
        for (const auto &[name, values] : choices()) {
            const RankingWeights base = best;
            for (const double value : values) {
                RankingWeights tried = base;
                setters().at(name)(tried, value);
                if (const double reached = objective(measure(seen, tried)); reached > most) {
                    most = reached;
                    best = tried;
                }
            }
        }
    return best;
}

// Each conversation ranked with weights that were chosen on the other four.
std::vector<Mark> crossValidated(const std::vector<Conversation> &all)
{
    std::vector<Mark> marks;
    for (size_t left = 0; left < all.size(); ++left) {
        std::vector<const Conversation *> seen;
        for (size_t c = 0; c < all.size(); ++c)
            if (c != left)
                seen.push_back(&all[c]);
        const RankingWeights weights = chosenOn(seen);
        out << "without conversation " << left + 1 << ':';
        for (const auto &[name, values] : choices())
            out << ' ' << name << '=' << getters().at(name)(weights);
        out << '\n';
        out.flush();
        for (const Mark &mark : measure(std::vector{&all[left]}, weights))
            marks.push_back(mark);
    }
    return marks;
}

void sweep(const std::vector<Conversation> &all, RankingWeights base, const QString &spec)
{
    const QString name = spec.section(u'=', 0, 0);
    for (const QString &value : spec.section(u'=', 1).split(u',')) {
        RankingWeights weights = base;
        setters().at(name)(weights, value.toDouble());
        const auto marks = measure(all, weights);
        double five = 0;
        double ten = 0;
        for (const Mark &mark : marks) {
            five += mark.at5;
            ten += mark.at10;
        }
        out << name << '=' << value
            << u"  %1 %2\n"_s.arg(100 * five / marks.size(), 0, 'f', 2).arg(100 * ten / marks.size(), 0, 'f', 2);
        out.flush();
    }
}

void printMisses(const std::vector<Conversation> &all, const RankingWeights &weights)
{
    for (const Conversation &in : all)
        for (const Asked &asked : in.asked) {
            const auto found = in.corpus.rank(asked.question, 10, weights);
            if (shareFound(found, in, asked, 10) > 0.5)
                continue;
            out << asked.category << ' ' << asked.question.text << '\n';
            for (const QString &turn : asked.evidence)
                out << "   should " << turn << ' ' << in.textOf.at(turn).left(200) << '\n';
            for (size_t i = 0; i < std::min<size_t>(3, found.size()); ++i)
                out << "   found  " << in.turnOf.at(found[i].id) << ' '
                    << in.textOf.at(in.turnOf.at(found[i].id)).left(150) << '\n';
        }
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addOption({u"file"_s, {}, u"path"_s, u"../shared/data/locomo/conversations.json"_s});
    parser.addOption({u"set"_s, {}, u"weight=value"_s});
    parser.addOption({u"sweep"_s, {}, u"weight=value,value"_s});
    parser.addOption({u"no-captions"_s, {}});
    parser.addOption({u"misses"_s, {}});
    parser.addOption({u"cross-validate"_s, {}});
    parser.process(app);
    QFile file(parser.value(u"file"_s));
    if (!file.open(QIODevice::ReadOnly)) {
        out << "skipped: " << file.fileName() << " is not there\n";
        return 0;
    }
    std::vector<Conversation> all;
    for (const QJsonValue &value : QJsonDocument::fromJson(file.readAll()).array())
        all.push_back(readConversation(value.toObject(), !parser.isSet(u"no-captions"_s)));
    RankingWeights weights;
    for (const QString &set : parser.values(u"set"_s))
        setters().at(set.section(u'=', 0, 0))(weights, set.section(u'=', 1).toDouble());
    if (parser.isSet(u"misses"_s)) {
        printMisses(all, weights);
        return 0;
    }
    if (parser.isSet(u"sweep"_s)) {
        for (const QString &spec : parser.values(u"sweep"_s))
            sweep(all, weights, spec);
        return 0;
    }
    RankingWeights words;
    words = {.k1 = 1.2,
             .b = 0.75,
             .meaning = 0,

             .pair = 0,
             .nameTerm = 1,
             .speaker = 0,
             .question = 0,
             .before = 0,
             .answer = 0,
             .after = 0,
             .secondBefore = 0,
             .secondAfter = 0,
             .near = 0,
             .speakerAfter = 0,
             .questionAfter = 0,
             .shortness = 0,
             .date = 0,
             .saidThen = 0,
             .recency = 0};
    printTable(u"BM25 alone"_s, measure(all, words));
    RankingWeights beside = words;
    beside.before = 0.25;
    beside.after = 0.25;
    printTable(u"BM25 with neighbours"_s, measure(all, beside));
    RankingWeights vectors = words;
    vectors.lexical = 0;
    vectors.meaning = 1;
    printTable(u"vectors alone"_s, measure(all, vectors));
    printTable(u"hybrid, the product's weights"_s, measure(all, weights));
    if (parser.isSet(u"cross-validate"_s))
        printTable(u"hybrid, cross-validated: each conversation with weights chosen on the other four"_s,
                   crossValidated(all));
    return 0;
}
