#include "Report.h"

#include "Evasion.h"
#include "moderation/Disclosure.h"
#include "moderation/Engine.h"
#include "moderation/PromptGuard.h"

#include <QDate>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>

#include <algorithm>
#include <numeric>

namespace companion::lab {

using namespace moderation;
using namespace Qt::StringLiterals;

namespace {

QString percent(int hits, int texts)
{
    return texts ? QString::number(100.0 * hits / texts, 'f', texts > 5000 ? 3 : 1) : u"–"_s;
}

QString interval(int hits, int texts)
{
    const auto [low, high] = wilson(hits, texts);
    const int digits = texts > 5000 ? 3 : 1;
    return u"%1–%2"_s.arg(QString::number(low, 'f', digits), QString::number(high, 'f', digits));
}

class Writer
{
public:
    void line(const QString &text = {}) { m_text += text + u'\n'; }
    void row(const QStringList &cells) { line(u"| "_s + cells.join(u" | "_s) + u" |"_s); }
    void head(const QStringList &cells)
    {
        row(cells);
        line(u"|"_s + QString(u"---|"_s).repeated(cells.size()));
    }
    const QString &text() const { return m_text; }

private:
    QString m_text;
};

void writeHarmless(Writer &to, const std::map<QString, Count> &counts)
{
    to.line(u"## What must pass"_s);
    to.line(u"Every text of a set that was stopped, by a block or by the crisis answer. Held-out figures where the set "
            u"also "
            "trains; `never trained` where no training saw it."_s);
    to.line();
    to.head({u"set"_s, u"texts"_s, u"rules"_s, u"all local stages"_s, u"of these crisis"_s, u"%"_s, u"95 %"_s,
             u"at most %"_s});
    for (const SetInfo &set : publishedSets()) {
        if (set.illegal == Label::Yes || set.crisis == Label::Yes)
            continue;
        const auto found = counts.find(QLatin1StringView(set.path));
        if (found == counts.end())
            continue;
        const Count &count = found->second;
        to.row({QLatin1StringView(set.path) + (set.mayTrain ? QString() : u" (never trained)"_s),
                QString::number(count.texts), QString::number(count.byRules), QString::number(count.hits()),
                QString::number(count.crises), percent(count.hits(), count.texts), interval(count.hits(), count.texts),
                QString::number(set.goal)});
    }
    if (const auto found = counts.find(u"crisis/conversations, without"_s); found != counts.end())
        to.row({found->first, QString::number(found->second.texts), QString::number(found->second.byRules),
                QString::number(found->second.hits()), QString::number(found->second.crises),
                percent(found->second.hits(), found->second.texts), interval(found->second.hits(), found->second.texts),
                u"2"_s});
    to.line();
}

void writeCaught(Writer &to, const Measures &measures, const std::map<QString, Count> &counts, bool crisis)
{
    to.line(crisis ? u"## Crises"_s : u"## What must be caught"_s);
    to.line(
        crisis
            ? u"Caught: answered with the crisis answer."_s
            : u"Caught: blocked, or answered with the crisis answer. *Without this set*: a model that saw nothing of "
              "the set at all: what to expect of texts of another make."_s);
    to.line();
    to.head({u"set"_s, u"texts"_s, u"rules"_s, u"all local stages"_s, u"%"_s, u"95 %"_s, u"without this set"_s});
    Count all, without;
    for (const SetInfo &set : publishedSets()) {
        const bool belongs = crisis ? set.crisis == Label::Yes : set.illegal == Label::Yes;
        const auto found = belongs ? counts.find(QLatin1StringView(set.path)) : counts.end();
        if (found == counts.end())
            continue;
        const Count &count = found->second;
        const int caught = crisis ? count.crises : count.hits();
        const Count unseen = measures.withoutSet(QLatin1StringView(set.path));
        const int unseenCaught = crisis ? unseen.crises : unseen.hits();
        to.row({QLatin1StringView(set.path), QString::number(count.texts), QString::number(count.byRules),
                QString::number(caught), percent(caught, count.texts), interval(caught, count.texts),
                percent(unseenCaught, unseen.texts)});
        all.texts += count.texts;
        all.byRules += count.byRules;
        all.blocked += caught;
        without.texts += unseen.texts;
        without.blocked += unseenCaught;
    }
    to.row({u"**together**"_s, QString::number(all.texts), QString::number(all.byRules), QString::number(all.blocked),
            u"**%1**"_s.arg(percent(all.blocked, all.texts)), interval(all.blocked, all.texts),
            percent(without.blocked, without.texts)});
    to.line();
}

// Texts of our own that the engine stops as they are; how many it still stops in disguise.
void writeEvasion(Writer &to, const Engine &engine, const std::vector<Sample> &own)
{
    QStringList texts;
    const auto stopped = [&](const QString &text) {
        return engine.screen({text, Direction::Input, Mode::Normal, {}}).isStopped();
    };
    for (const Rule &rule : engine.rules()->rules())
        if (rule.directions.contains(Direction::Input) && rule.action != Action::Allow && rule.action != Action::Flag)
            for (const QString &text : rule.mustHit)
                if (stopped(text))
                    texts.append(text);
    for (std::size_t i = 0; i < own.size(); i += 9)
        if (own[i].messages.size() == 1 && (own[i].illegal == Label::Yes || own[i].crisis == Label::Yes)
            && stopped(own[i].messages.first()))
            texts.append(own[i].messages.first());
    to.line(u"## Disguises"_s);
    to.line(u"%1 texts of our own (the rules' tests, and generated ones) that are stopped as they are, rewritten in "
            u"each way: how "
            "many are still stopped."_s.arg(texts.size()));
    to.line();
    to.head({u"disguise"_s, u"still stopped"_s, u"%"_s, u"95 %"_s});
    int all = 0, hits = 0;
    for (const Disguise &disguise : disguises()) {
        std::mt19937 random(7);
        const auto caught = static_cast<int>(
            std::ranges::count_if(texts, [&](const QString &text) { return stopped(disguise.apply(text, random)); }));
        to.row({QLatin1StringView(disguise.name), QString::number(caught),
                percent(caught, static_cast<int>(texts.size())), interval(caught, static_cast<int>(texts.size()))});
        all += static_cast<int>(texts.size());
        hits += caught;
    }
    to.row({u"**all**"_s, QString::number(hits), u"**%1**"_s.arg(percent(hits, all)), interval(hits, all)});
    to.line();
}

void writeInjection(Writer &to, const Engine &engine, const QString &data)
{
    to.line(u"## Prompt injection"_s);
    to.line(
        u"Flagged (recorded, never blocked for it). The replies are held against the prompt besides: `PromptGuard`."_s);
    to.line();
    to.head({u"set"_s, u"texts"_s, u"flagged"_s, u"%"_s, u"95 %"_s});
    for (const char *name : {"attacks", "benign_one", "benign_two", "benign_three"}) {
        int texts = 0, flagged = 0;
        for (const QString &text :
             readTexts(QDir(data).filePath(u"injection/%1.jsonl"_s.arg(QLatin1StringView(name))))) {
            ++texts;
            const Verdict verdict =
                Engine::screen({text, Direction::Input, Mode::Normal, {}}, *engine.rules(), nullptr);
            flagged += verdict.category == u"prompt_injection";
        }
        if (texts)
            to.row({u"injection/"_s + QLatin1StringView(name), QString::number(texts), QString::number(flagged),
                    percent(flagged, texts), interval(flagged, texts)});
    }
    to.line();
}

void writeDisclosure(Writer &to, const QString &source)
{
    const auto disclosure = Disclosure::load();
    to.line(u"## Asked whether it is an AI"_s);
    to.line(u"Wordings written for this measurement alone (`tools/moderation/wordings`), in six languages; the rules "
            u"do not know "
            "them."_s);
    to.line();
    to.head({u"wordings"_s, u"texts"_s, u"taken as the question"_s, u"%"_s, u"95 %"_s});
    for (const char *name : {"asks", "asks-not"}) {
        QFile file(QDir(source).filePath(u"tools/moderation/wordings/%1.txt"_s.arg(QLatin1StringView(name))));
        if (!disclosure || !file.open(QIODevice::ReadOnly))
            continue;
        int texts = 0, hits = 0;
        for (const QString &text : QString::fromUtf8(file.readAll()).split(u'\n', Qt::SkipEmptyParts)) {
            ++texts;
            hits += (*disclosure)->askedIn(text).has_value();
        }
        to.row({QLatin1StringView(name), QString::number(texts), QString::number(hits), percent(hits, texts),
                interval(hits, texts)});
    }
    to.line();
}

void writeCost(Writer &to, const Engine &engine, const Measures &measures)
{
    to.line(u"## Cost"_s);
    to.line(
        u"One message through rules and classifier on one core of this machine (2 shared cores; other work was running)."_s);
    to.line();
    to.head({u"set"_s, u"mean characters"_s, u"mean µs"_s, u"p50 µs"_s, u"p95 µs"_s, u"p99 µs"_s});
    std::map<QString, std::vector<std::pair<qint64, qsizetype>>> times;
    for (const Reading &reading : measures.readings()) {
        auto &of = times[reading.sample->set];
        if (of.size() >= 4000 || reading.sample->messages.size() > 1)
            continue;
        const QString &text = reading.sample->messages.first();
        QElapsedTimer timer;
        timer.start();
        (void)engine.screen({text, Direction::Input, Mode::Normal, {}});
        of.emplace_back(timer.nsecsElapsed(), text.size());
    }
    for (auto &[set, of] : times) {
        if (of.empty())
            continue;
        std::ranges::sort(of);
        const auto at = [&](double part) {
            return QString::number(static_cast<double>(
                                       of[static_cast<std::size_t>(part * static_cast<double>(of.size() - 1))].first)
                                       / 1000.0,
                                   'f', 0);
        };
        double nanoseconds = 0, characters = 0;
        for (const auto &[time, length] : of) {
            nanoseconds += static_cast<double>(time);
            characters += static_cast<double>(length);
        }
        const auto size = static_cast<double>(of.size());
        to.row({set, QString::number(characters / size, 'f', 0), QString::number(nanoseconds / size / 1000, 'f', 0),
                at(0.5), at(0.95), at(0.99)});
    }
    to.line();
}

// A reply streamed word by word: how many words have come when the first is shown, and what the screen itself takes.
void writeFirstToken(Writer &to, const std::shared_ptr<const Engine> &engine, const Measures &measures)
{
    std::vector<int> words;
    std::vector<qint64> cost_ns;
    const QString prompt = u"You are Aria, a warm and curious companion. "_s.repeated(40);
    for (const Reading &reading : measures.readings()) {
        if (reading.sample->set != u"moderation/dialogue/topical_chat" || words.size() >= 3000)
            continue;
        OutputScreen screen(std::make_shared<PromptGuard>(engine, prompt), Mode::Normal, {u"Tell me about your day"_s});
        int count = 0;
        qint64 spent = 0;
        bool isShown = false;
        QElapsedTimer timer;
        for (const QString &word : reading.sample->messages.first().split(u' ', Qt::SkipEmptyParts)) {
            ++count;
            timer.start();
            isShown = !screen.feed(word + u' ').text.isEmpty();
            spent += timer.nsecsElapsed();
            if (isShown)
                break;
        }
        words.push_back(count);
        cost_ns.push_back(spent);
    }
    if (words.empty())
        return;
    std::ranges::sort(words);
    std::ranges::sort(cost_ns);
    const auto at = [](const auto &sorted, double part) {
        return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
    };
    to.line(u"## Added time to the first word shown"_s);
    to.line(u"A reply's first sentence is held back until it is complete, or 40 words have come. On %1 replies (the "
            u"sentences of "
            "topical_chat, fed word by word): p50 %2 words, p95 %3, p99 %4. At 30 words a second that is %5 ms, %6 ms "
            "and %7 ms more "
            "than showing each word at once. The screen itself takes p50 %8 µs, p95 %9 µs of it."_s.arg(words.size())
                .arg(at(words, 0.5))
                .arg(at(words, 0.95))
                .arg(at(words, 0.99))
                .arg((at(words, 0.5) - 1) * 1000 / 30)
                .arg((at(words, 0.95) - 1) * 1000 / 30)
                .arg((at(words, 0.99) - 1) * 1000 / 30)
                .arg(at(cost_ns, 0.5) / 1000)
                .arg(at(cost_ns, 0.95) / 1000));
    to.line();
}

} // namespace

QString report(const Measures &measures, const moderation::RuleScreen &rules, const std::vector<Sample> &own,
               const ReportPlaces &places)
{
    const auto book = RuleBook::compile(RuleScreen::filesOf(places.rules));
    const Thresholds thresholds = measures.chosen();
    auto heads = measures.finalModel()->heads();
    heads[0].threshold = thresholds.crisis;
    heads[1].threshold = thresholds.illegal;
    const auto engine = std::make_shared<Engine>(*book,
                                                 std::make_shared<const Classifier>(measures.finalModel()->version(),
                                                                                    std::move(heads)));
    const auto counts = measures.bySet();
    Writer to;
    to.line(u"# Moderation, measured"_s);
    to.line();
    to.line(u"Made by `tools/moderation/evaluate` on %1, on the published sets beside the project; counts only, no "
            u"text. Spicy mode, the "
            "laxer one. %2 rules; classifier %3: thresholds crisis %4, illegal %5."_s
                .arg(QDate::currentDate().toString(Qt::ISODate))
                .arg(rules.ruleCount())
                .arg(measures.finalModel()->version(), QString::number(static_cast<double>(thresholds.crisis), 'f', 3),
                     QString::number(static_cast<double>(thresholds.illegal), 'f', 3)));
    to.line();
    to.line(
        u"How it is measured: the sets are cut in five parts by a hash of each text. A part is scored by a model that "
        u"was trained "
        "on the other four and on the generated texts of `tools/moderation/corpus` (%1), with thresholds chosen on the "
        "other four "
        "parts' held-out scores. The model in the program is trained on all five; it is not measured on them. Sets "
        "marked *never "
        "trained* are scored by that one. Intervals are Wilson's, 95 %. Near-duplicates within a set (HateCheck, "
        "AdvBench are "
        "made from templates) lie in several parts: the column *without this set* is free of that."_s.arg(own.size()));
    to.line();
    writeHarmless(to, counts);
    writeCaught(to, measures, counts, false);
    writeCaught(to, measures, counts, true);
    writeEvasion(to, *engine, own);
    writeInjection(to, *engine, places.data);
    writeDisclosure(to, places.source);
    writeCost(to, *engine, measures);
    writeFirstToken(to, engine, measures);
    to.line(u"## What it misses"_s);
    QFile misses(QDir(places.source).filePath(u"tools/moderation/misses.md"_s));
    if (misses.open(QIODevice::ReadOnly))
        to.line(QString::fromUtf8(misses.readAll()).trimmed());
    return to.text();
}

} // namespace companion::lab
