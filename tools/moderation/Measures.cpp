#include "Measures.h"

#include <algorithm>
#include <cmath>

namespace companion::lab {

namespace {

// What the classifier may hit, of texts that the rules leave alone, as a part of a set: well inside the goals, which
// are for both together.
struct Allowance
{
    const char *set;
    double part;
};
constexpr Allowance allowances[] = {
    {"moderation/dialogue/persona_chat", 0.0001},       {"moderation/benign/counselchat", 0.0045},
    {"moderation/benign/xstest_safe", 0.0215},          {"moderation/adult_allowed/openai_adult", 0.0},
    {"moderation/benign/hatecheck_nonhateful", 0.0045}, {"moderation/benign/openai_clean", 0.024},
};

} // namespace

std::pair<double, double> wilson(int hits, int texts)
{
    if (texts == 0)
        return {0, 100};
    constexpr double z = 1.96;
    const double n = texts;
    const double p = hits / n;
    const double middle = p + z * z / (2 * n);
    const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const double scale = 1 + z * z / n;
    return {std::max(0.0, 100 * (middle - spread) / scale), std::min(100.0, 100 * (middle + spread) / scale)};
}

Measures::Measures(std::vector<Sample> samples, std::shared_ptr<const moderation::RuleScreen> rules,
                   const Recipe &recipe)
    : m_samples(std::move(samples))
    , m_rules(std::move(rules))
    , m_recipe(recipe)
    , m_prepared(prepare(m_samples))
{
    for (const Sample &sample : m_samples) {
        if (sample.isOwn)
            continue;
        Reading reading{.sample = &sample};
        QStringList before;
        for (const QString &message : sample.messages) {
            const auto verdict = m_rules->screen({message, moderation::Direction::Input, Mode::Spicy, before});
            reading.rulesBlock |= verdict.isBlocked();
            reading.rulesCrisis |= verdict.isCrisis();
            before.append(message);
        }
        m_readings.push_back(reading);
    }
}

std::array<float, 2> Measures::scoresOf(const moderation::Classifier &model, const Sample &sample) const
{
    std::array<float, 2> scores{};
    QStringList before;
    for (const QString &message : sample.messages) {
        const auto judged = model.judge({message, moderation::Direction::Input, Mode::Spicy, before});
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = std::max(scores[i], judged[i].score);
        before.append(message);
    }
    return scores;
}

void Measures::crossValidate()
{
    for (int fold = 0; fold <= folds; ++fold) {
        const bool isLast = fold == folds;
        const auto model = train(
            m_prepared, [=](const Sample &s) { return s.mayTrain && (isLast || s.fold != fold); }, m_recipe,
            QStringLiteral("1"));
        for (Reading &reading : m_readings)
            if (reading.sample->mayTrain ? reading.sample->fold == fold : isLast)
                reading.scores = scoresOf(*model, *reading.sample);
        if (isLast)
            m_final = model;
    }
}

// The lowest that keeps to every allowance on the held-out texts.
float Measures::thresholdFor(std::size_t head, int withoutFold) const
{
    float threshold = 0.5F;
    for (const auto &[set, part] : allowances) {
        std::vector<float> scores;
        for (const Reading &reading : m_readings)
            if (reading.sample->set == QLatin1StringView(set) && reading.sample->fold != withoutFold
                && !reading.rulesBlock && !reading.rulesCrisis)
                scores.push_back(reading.scores[head]);
        const auto allowed = static_cast<std::size_t>(part * static_cast<double>(scores.size()));
        std::ranges::sort(scores, std::greater());
        if (qEnvironmentVariableIsSet("LAB_VERBOSE") && withoutFold < 0)
            qInfo("head %zu: %s allows %.3f", head, set,
                  allowed < scores.size() ? static_cast<double>(scores[allowed]) : 0.0);
        if (allowed < scores.size())
            threshold = std::max(threshold, scores[allowed] + 0.01F);
    }
    return std::min(threshold, 0.999F);
}

Thresholds Measures::chosen(int withoutFold) const
{
    return {thresholdFor(0, withoutFold), thresholdFor(1, withoutFold)};
}

std::map<QString, Count> Measures::bySet() const
{
    std::map<QString, Count> counts;
    std::array<Thresholds, folds> byFold;
    for (int fold = 0; fold < folds; ++fold)
        byFold[static_cast<std::size_t>(fold)] = chosen(fold);
    const Thresholds last = chosen();
    for (const Reading &reading : m_readings) {
        const Sample &sample = *reading.sample;
        const Thresholds used = sample.mayTrain ? byFold[static_cast<std::size_t>(sample.fold)] : last;
        const bool isCrisisPool = sample.set.startsWith(QStringLiteral("crisis"));
        Count &count =
            counts[isCrisisPool && sample.crisis == Label::No ? QStringLiteral("crisis/conversations, without")
                                                              : sample.set];
        ++count.texts;
        count.byRules += isCrisisPool ? reading.rulesCrisis : reading.rulesBlock || reading.rulesCrisis;
        const bool crisis = reading.crises(used.crisis);
        count.crises += crisis;
        count.blocked += !crisis && reading.blocks(used.illegal);
    }
    return counts;
}

Count Measures::withoutSet(const QString &set) const
{
    const auto model =
        train(m_prepared, [&](const Sample &s) { return s.mayTrain && s.set != set; }, m_recipe, QStringLiteral("1"));
    const Thresholds used = chosen();
    Count count;
    for (const Reading &reading : m_readings) {
        const Sample &sample = *reading.sample;
        if (sample.set != set || (sample.crisis == Label::No && set.startsWith(QStringLiteral("crisis"))))
            continue;
        Reading held = reading;
        held.scores = scoresOf(*model, sample);
        ++count.texts;
        const bool crisis = held.crises(used.crisis);
        count.crises += crisis;
        count.blocked += !crisis && held.blocks(used.illegal);
        count.byRules += held.rulesBlock || held.rulesCrisis;
    }
    return count;
}

std::vector<int> Measures::rowsHit(const QString &set, bool hit) const
{
    std::vector<int> rows;
    const Thresholds used = chosen();
    for (const Reading &reading : m_readings)
        if (reading.sample->set == set && (reading.crises(used.crisis) || reading.blocks(used.illegal)) == hit)
            rows.push_back(reading.sample->row);
    return rows;
}

} // namespace companion::lab
