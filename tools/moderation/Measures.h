#pragma once

#include "Trainer.h"
#include "moderation/RuleScreen.h"

#include <array>
#include <map>

namespace companion::lab {

// What rules and classifier said of one sample.
struct Reading
{
    const Sample *sample = nullptr;
    bool rulesBlock = false;
    bool rulesCrisis = false;
    std::array<float, 2> scores{}; // crisis, illegal; of a model that was not trained on it

    bool blocks(float threshold) const { return rulesBlock || (!rulesCrisis && scores[1] >= threshold); }
    bool crises(float threshold) const { return rulesCrisis || (!rulesBlock && scores[0] >= threshold); }
};

struct Thresholds
{
    float crisis = 1;
    float illegal = 1;
};

struct Count
{
    int texts = 0;
    int byRules = 0;
    int blocked = 0;
    int crises = 0;
    int hits() const { return blocked + crises; }
};

// 95 % by Wilson, in percent.
std::pair<double, double> wilson(int hits, int texts);

class Measures
{
public:
    Measures(std::vector<Sample> samples, std::shared_ptr<const moderation::RuleScreen> rules, const Recipe &recipe);

    // Five trainings; each text is scored by the one that did not see it, what never trains by the last model.
    void crossValidate();
    std::shared_ptr<const moderation::Classifier> finalModel() const { return m_final; }
    // Of all held-out scores; those of a fold are measured with thresholds that were chosen without it.
    Thresholds chosen(int withoutFold = -1) const;
    std::map<QString, Count> bySet() const;
    // The recall of a set by a model (and thresholds) from all the others of its kind.
    Count withoutSet(const QString &set) const;
    std::vector<int> rowsHit(const QString &set, bool hit) const;

    const std::vector<Reading> &readings() const { return m_readings; }

private:
    std::array<float, 2> scoresOf(const moderation::Classifier &model, const Sample &sample) const;
    float thresholdFor(std::size_t head, int withoutFold) const;

    std::vector<Sample> m_samples;
    std::shared_ptr<const moderation::RuleScreen> m_rules;
    Recipe m_recipe;
    std::vector<Prepared> m_prepared;
    std::vector<Reading> m_readings;
    std::shared_ptr<const moderation::Classifier> m_final;
};

} // namespace companion::lab
