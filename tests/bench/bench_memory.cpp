// How long ranking takes with many memories of one user, and how long they take to load: processor time of one thread.
//   bench_memory [--lines persona_chat.jsonl]
#include "memory/embedders/WordVectors.h"
#include "memory/retrieval/Corpus.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTextStream>
#include <algorithm>
#include <ctime>
#include <random>

using namespace companion::memory;
using namespace Qt::StringLiterals;

namespace {

QTextStream out(stdout);

// Of this thread's processor time: the machine may have other work.
class Stopwatch
{
public:
    double ms() const { return now() - m_begun; }

private:
    static double now()
    {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return double(time.tv_sec) * 1e3 + double(time.tv_nsec) / 1e6;
    }
    double m_begun = now();
};

struct Stored // as the database gives it
{
    QUuid id;
    QByteArray digest;
    QByteArray vector;
};

std::vector<float> padded(Vector vector, int dimension)
{
    std::mt19937 random(1); // NOLINT
    std::uniform_real_distribution<float> noise(-0.01F, 0.01F);
    while (int(vector.size()) < dimension)
        vector.push_back(noise(random));
    return vector;
}

// Utterances glued two by two, so that fifty thousand of them differ.
QString utterance(const QStringList &lines, int i)
{
    return QString(lines[i % lines.size()] + u' ' + lines[int(qint64(i) * 7919 % lines.size())]);
}

std::vector<Stored> store(const QStringList &lines, int count, int dimension)
{
    std::vector<Stored> all;
    for (int i = 0; i < count; ++i) {
        const QString text = utterance(lines, i);
        all.push_back({QUuid(uint(i), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                       encode(digestOf(text, QDate(2023, 1, 1).addDays(i / 50))),
                       toBytes(padded(WordVectors::builtIn().embed(text), dimension))});
    }
    return all;
}

Corpus load(const std::vector<Stored> &all, int dimension)
{
    Corpus corpus(dimension, &WordVectors::builtIn());
    corpus.reserve(int(all.size()));
    for (size_t i = 0; i < all.size(); ++i)
        corpus.append({.id = all[i].id,
                       .conversation = QUuid(uint(i / 60), 2, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                       .scope = {},
                       .position = qint64(i),
                       .speaker = i % 2 ? Speaker::Companion : Speaker::User,
                       .saidAt_ms = qint64(i) * 1'728'000,
                       .digest = decodeDigest(all[i].digest).value(),
                       .vector = halvesFromBytes(all[i].vector)});
    return corpus;
}

double percentile(std::vector<double> values, double share)
{
    std::ranges::sort(values);
    return values[size_t(share * double(values.size() - 1))];
}

void measure(const QStringList &lines, int count, int dimension)
{
    const auto stored = store(lines, count, dimension);
    std::vector<double> cold;
    for (int i = 0; i < 5; ++i) {
        const Stopwatch timer;
        const Corpus corpus = load(stored, dimension);
        cold.push_back(timer.ms());
    }
    const Corpus corpus = load(stored, dimension);
    std::mt19937 random(2); // NOLINT
    std::vector<double> first;
    std::vector<double> warm;
    for (int i = 0; i < 600; ++i) {
        Question question{.text = lines[int(random() % uint(lines.size()))],
                          .vector = {},
                          .askedAt = QDateTime(QDate(2026, 1, 1), QTime(), Qt::UTC),
                          .scope = {},
                          .userName = u"Nora"_s,
                          .companionName = u"Aria"_s,
                          .alreadyShown = {}};
        question.vector = padded(WordVectors::builtIn().embed(bareQuestion(question)), dimension);
        for (std::vector<double> *into : {&first, &warm}) {
            const Stopwatch timer;
            (void)corpus.rank(question, 5);
            into->push_back(timer.ms());
        }
    }
    out << u"%1 %2   %3 %4 %5   %6 %7   %8 %9\n"_s.arg(count, 8)
               .arg(dimension, 5)
               .arg(percentile(warm, 0.5), 6, 'f', 2)
               .arg(percentile(warm, 0.95), 6, 'f', 2)
               .arg(percentile(warm, 1.0), 6, 'f', 2)
               .arg(percentile(first, 0.95), 6, 'f', 2)
               .arg(percentile(first, 1.0), 6, 'f', 2)
               .arg(percentile(cold, 0.5), 7, 'f', 1)
               .arg(double(corpus.bytes()) / 1048576, 6, 'f', 0);
    out.flush();
}

void measureTexts(const QStringList &lines)
{
    const Stopwatch embedding;
    for (const QString &line : lines)
        (void)WordVectors::builtIn().embed(line);
    out << u"embed %1 µs a text, "_s.arg(embedding.ms() * 1e3 / double(lines.size()), 0, 'f', 1);
    const Stopwatch digesting;
    for (const QString &line : lines)
        (void)encode(digestOf(line, QDate(2023, 5, 10)));
    out << u"digest %1 µs a text, %2 characters on average\n"_s
               .arg(digesting.ms() * 1e3 / double(lines.size()), 0, 'f', 1)
               .arg(double(lines.join(QString()).size()) / double(lines.size()), 0, 'f', 0);
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addOption({u"lines"_s, {}, u"path"_s, u"../shared/data/moderation/dialogue/persona_chat.jsonl"_s});
    parser.process(app);
    QFile file(parser.value(u"lines"_s));
    if (!file.open(QIODevice::ReadOnly)) {
        out << "skipped: " << file.fileName() << " is not there\n";
        return 0;
    }
    QStringList lines;
    while (!file.atEnd())
        lines += QJsonDocument::fromJson(file.readLine()).object()[u"text"].toString();
    measureTexts(lines);
    out << "memories  dim   warm ms: p50    p95    max   first: p95   max   load ms   MiB\n";
    for (const int dimension : {100, 1536})
        for (const int count : {1000, 10'000, 50'000})
            measure(lines, count, dimension);
    return 0;
}
