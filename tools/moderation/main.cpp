#include "Corpus.h"
#include "Measures.h"
#include "Report.h"
#include "Trainer.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QSaveFile>

#include <cstdio>

using namespace companion;
using namespace companion::lab;

namespace {

void printTable(const Measures &measures)
{
    const auto counts = measures.bySet();
    std::map<QString, Count> pools;
    for (const auto &[set, count] : counts) {
        const auto [low, high] = wilson(count.hits(), count.texts);
        std::printf("%-42s %6d  rules %5d  with classifier %5d (block %4d crisis %4d)  %7.3f %%  [%.2f, %.2f]\n",
                    qPrintable(set), count.texts, count.byRules, count.hits(), count.blocked, count.crises,
                    100.0 * count.hits() / count.texts, low, high);
        const QString pool = set.startsWith(QStringLiteral("moderation/illegal")) ? QStringLiteral("ILLEGAL")
            : set.startsWith(QStringLiteral("crisis/")) && !set.contains(u',')    ? QStringLiteral("CRISIS")
                                                                                  : QString();
        Count &sum = pools[pool];
        sum.texts += count.texts;
        sum.byRules += count.byRules;
        sum.blocked += count.blocked;
        sum.crises += count.crises;
    }
    for (const auto &[pool, count] : pools)
        if (!pool.isEmpty())
            std::printf("%-42s %6d  rules %5.1f %%  with classifier %5.1f %% (crisis only %5.1f %%)\n",
                        qPrintable(pool), count.texts, 100.0 * count.byRules / count.texts,
                        100.0 * count.hits() / count.texts, 100.0 * count.crises / count.texts);
}

bool write(const QString &path, const QByteArray &bytes)
{
    QSaveFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit();
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addOption(
        {QStringLiteral("source"), QStringLiteral("The project."), QStringLiteral("folder"), QStringLiteral(".")});
    parser.addOption({QStringLiteral("data"), QStringLiteral("The published sets."), QStringLiteral("folder"),
                      QStringLiteral("../shared/data")});
    parser.addOption({QStringLiteral("model"), QStringLiteral("Write the model here."), QStringLiteral("file")});
    parser.addOption({QStringLiteral("report"), QStringLiteral("Write the report here."), QStringLiteral("file")});
    parser.addOption(
        {QStringLiteral("rules"), QStringLiteral("The rule files; else the built-in ones."), QStringLiteral("folder")});
    parser.addOption({QStringLiteral("rows"),
                      QStringLiteral("Print the rows of this set that are hit, or that are not."),
                      QStringLiteral("set")});
    parser.addOption({QStringLiteral("scores"), QStringLiteral("Print the held-out scores of this set's rows."),
                      QStringLiteral("set")});
    parser.addOption({QStringLiteral("recipe"), QStringLiteral("Try another recipe."), QStringLiteral("name=value")});
    parser.addOption({QStringLiteral("leave-out"), QStringLiteral("Also train without each set in turn.")});
    parser.addHelpOption();
    parser.process(app);

    const auto rules =
        moderation::RuleScreen::load(parser.isSet(QStringLiteral("rules")) ? parser.value(QStringLiteral("rules"))
                                                                           : moderation::RuleScreen::builtInFolder());
    const auto own =
        generateOwn(QDir(parser.value(QStringLiteral("source"))).filePath(QStringLiteral("tools/moderation/corpus")));
    if (!rules || !own) {
        std::fprintf(stderr, "%s\n", qPrintable(rules ? own.error() : rules.error().join(u'\n')));
        return 1;
    }
    QElapsedTimer timer;
    timer.start();
    std::vector<Sample> samples = readPublished(parser.value(QStringLiteral("data")));
    std::printf("published %zu, own %zu\n", samples.size(), own->size());
    samples.insert(samples.end(), own->begin(), own->end());
    Recipe recipe;
    for (const QString &setting : parser.values(QStringLiteral("recipe"))) {
        const float value = setting.section(u'=', 1).toFloat();
        const QString name = setting.section(u'=', 0, 0);
        (name == QStringLiteral("rate")          ? recipe.rate
             : name == QStringLiteral("decay")   ? recipe.decay
             : name == QStringLiteral("dropped") ? recipe.dropped
             : name == QStringLiteral("illegal") ? recipe.illegalWeight
             : name == QStringLiteral("own")     ? recipe.ownWeight
             : name == QStringLiteral("careful") ? recipe.carefulWeight
             : name == QStringLiteral("epochs")  ? recipe.epochs
                                                 : recipe.crisisWeight) = value;
    }
    Measures measures(std::move(samples), *rules, recipe);
    std::printf("read in %lld ms\n", timer.restart());
    measures.crossValidate();
    std::printf("trained %d times in %lld ms\n", folds + 1, timer.restart());
    const Thresholds thresholds = measures.chosen();
    std::printf("thresholds: crisis %.3f, illegal %.3f\n", static_cast<double>(thresholds.crisis),
                static_cast<double>(thresholds.illegal));
    printTable(measures);
    if (parser.isSet(QStringLiteral("leave-out")))
        for (const SetInfo &set : publishedSets())
            if (set.illegal == Label::Yes || set.crisis == Label::Yes) {
                const Count count = measures.withoutSet(QString::fromLatin1(set.path));
                std::printf("without %-34s %4d of %4d (rules %d)\n", set.path, count.hits(), count.texts,
                            count.byRules);
            }
    for (const QString &set : parser.values(QStringLiteral("rows")))
        for (const bool hit : {true, false}) {
            const auto rows = measures.rowsHit(set, hit);
            if (rows.size() > 200)
                continue;
            std::printf("%s %s:", qPrintable(set), hit ? "hit" : "not hit");
            for (const int row : rows)
                std::printf(" %d", row);
            std::printf("\n");
        }
    for (const QString &set : parser.values(QStringLiteral("scores")))
        for (const Reading &reading : measures.readings())
            if (reading.sample->set == set)
                std::printf("%s %d %s%s crisis %.3f illegal %.3f\n", qPrintable(set), reading.sample->row,
                            reading.rulesCrisis ? "C" : "-", reading.rulesBlock ? "B" : "-",
                            static_cast<double>(reading.scores[0]), static_cast<double>(reading.scores[1]));
    if (parser.isSet(QStringLiteral("model"))) {
        auto heads = measures.finalModel()->heads();
        heads[0].threshold = thresholds.crisis;
        heads[1].threshold = thresholds.illegal;
        const moderation::Classifier model(measures.finalModel()->version(), std::move(heads));
        if (!write(parser.value(QStringLiteral("model")), model.toBytes()))
            return 1;
    }
    const ReportPlaces places{parser.value(QStringLiteral("source")), parser.value(QStringLiteral("data")),
                              parser.isSet(QStringLiteral("rules")) ? parser.value(QStringLiteral("rules"))
                                                                    : moderation::RuleScreen::builtInFolder()};
    if (parser.isSet(QStringLiteral("report"))
        && !write(parser.value(QStringLiteral("report")), report(measures, **rules, *own, places).toUtf8()))
        return 1;
    return 0;
}
