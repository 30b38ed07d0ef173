#include "Trainer.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace companion::lab {

namespace {

using moderation::Features;

struct Example
{
    const Prepared *prepared = nullptr;
    bool isYes = false;
    float weight = 1;
};

class HeadTrainer
{
public:
    explicit HeadTrainer(const Recipe &recipe, unsigned seed)
        : m_recipe(recipe)
        , m_random(seed)
        , m_weights(std::size_t(1) << Features::bits)
        , m_squares(m_weights.size(), 1e-2F)
    {
    }

    void run(std::vector<Example> examples)
    {
        for (int epoch = 0; epoch < static_cast<int>(m_recipe.epochs); ++epoch) {
            std::ranges::shuffle(examples, m_random);
            for (const Example &example : examples)
                learn(example, epoch);
        }
    }

    moderation::Classifier::Head head(const QString &name, const QString &category, moderation::Action action,
                                      bool acrossTurns) const
    {
        float most = 1e-6F;
        for (const float weight : m_weights)
            most = std::max(most, std::abs(weight));
        moderation::Classifier::Head head{.name = name,
                                          .category = category,
                                          .action = action,
                                          .acrossTurns = acrossTurns,
                                          .threshold = 0.5F,
                                          .bias = m_bias,
                                          .scale = most / 127};
        for (const float weight : m_weights)
            head.weights.push_back(static_cast<std::int8_t>(std::lround(weight / head.scale)));
        return head;
    }

private:
    struct Choice
    {
        const Features *features = nullptr;
        Features::Window window;
        float margin = -1e9F;
    };

    Choice weightiest(const Prepared &prepared) const
    {
        Choice best;
        for (const Features &part : prepared.parts)
            for (const auto window : part.windows)
                if (const float margin = marginOf(part, window); margin > best.margin)
                    best = {&part, window, margin};
        return best;
    }

    Choice anyOf(const Prepared &prepared)
    {
        const Features &part = prepared.parts[m_random() % prepared.parts.size()];
        if (part.windows.empty())
            return {};
        const auto window = part.windows[m_random() % part.windows.size()];
        return {&part, window, marginOf(part, window)};
    }

    float marginOf(const Features &part, Features::Window window) const
    {
        const std::size_t count = part.count(window);
        if (count == 0)
            return -1e9F;
        float sum = 0;
        for (std::size_t i = part.from[static_cast<std::size_t>(window.first)];
             i < part.from[static_cast<std::size_t>(window.end)]; ++i)
            sum += m_weights[part.slots[i]];
        return sum / std::sqrt(static_cast<float>(count)) + m_bias;
    }

    void learn(const Example &example, int epoch)
    {
        const bool looksAround = !example.isYes && m_random() % 3 == 0;
        step(epoch == 0 || looksAround ? anyOf(*example.prepared) : weightiest(*example.prepared), example);
    }

    void step(const Choice &choice, const Example &example)
    {
        if (!choice.features || choice.features->count(choice.window) == 0)
            return;
        const auto begin = choice.features->from[static_cast<std::size_t>(choice.window.first)];
        const auto end = choice.features->from[static_cast<std::size_t>(choice.window.end)];
        m_kept.clear();
        const auto limit = static_cast<std::uint32_t>(static_cast<double>(m_recipe.dropped) * 4294967295.0);
        for (auto i = begin; i < end; ++i)
            if (m_random() >= limit)
                m_kept.push_back(choice.features->slots[i]);
        if (m_kept.empty())
            return;
        const float value = 1.F / std::sqrt(static_cast<float>(m_kept.size()));
        float margin = m_bias;
        for (const auto slot : m_kept)
            margin += m_weights[slot] * value;
        const float probability = 1.F / (1.F + std::exp(-margin));
        const float error = (probability - (example.isYes ? 1.F : 0.F)) * example.weight;
        for (const auto slot : m_kept) {
            const float gradient = error * value + m_recipe.decay * m_weights[slot];
            m_squares[slot] += gradient * gradient;
            m_weights[slot] -= m_recipe.rate * gradient / std::sqrt(m_squares[slot]);
        }
        m_bias -= 0.01F * error;
    }

    const Recipe &m_recipe;
    std::mt19937 m_random;
    std::vector<float> m_weights;
    std::vector<float> m_squares;
    std::vector<std::uint32_t> m_kept;
    float m_bias = -1;
};

} // namespace

std::vector<Prepared> prepare(const std::vector<Sample> &samples)
{
    std::vector<Prepared> prepared;
    prepared.reserve(samples.size());
    for (const Sample &sample : samples) {
        Prepared one{&sample, {}};
        std::vector<moderation::Word> together;
        for (const QString &message : sample.messages) {
            auto words = moderation::wordsOf(message, together.empty() ? 0 : together.back().position + 4);
            one.parts.push_back(Features::of(words));
            together.insert(together.end(), std::make_move_iterator(words.begin()),
                            std::make_move_iterator(words.end()));
        }
        if (sample.messages.size() > 1) { // a conversation is judged together
            Features whole = Features::of(together);
            whole.windows = {{0, static_cast<int>(whole.from.size()) - 1}};
            one.parts = {std::move(whole)};
        }
        prepared.push_back(std::move(one));
    }
    return prepared;
}

std::shared_ptr<const moderation::Classifier> train(const std::vector<Prepared> &prepared,
                                                    const std::function<bool(const Sample &)> &belongs,
                                                    const Recipe &recipe, const QString &version)
{
    Recipe crisisRecipe = recipe;
    crisisRecipe.epochs = recipe.crisisEpochs;
    crisisRecipe.decay = recipe.crisisDecay;
    crisisRecipe.carefulWeight = recipe.crisisCareful;
    const auto trained = [&](Label Sample::*label, const Recipe &its, float weight, unsigned seed) {
        std::vector<Example> examples;
        for (const Prepared &one : prepared)
            if (belongs(*one.sample) && one.sample->*label != Label::Unsaid) {
                const bool isYes = one.sample->*label == Label::Yes;
                const bool isTalk = one.sample->set.startsWith(QStringLiteral("moderation/dialogue"));
                examples.push_back({&one, isYes,
                                    isYes                   ? (one.sample->isOwn ? weight * its.ownWeight : weight)
                                        : isTalk            ? 1.F
                                        : one.sample->isOwn ? its.carefulWeight * its.ownWeight
                                                            : its.carefulWeight});
            }
        HeadTrainer trainer(its, seed);
        trainer.run(std::move(examples));
        return trainer;
    };
    using moderation::Action;
    return std::make_shared<const moderation::Classifier>(
        version,
        std::vector{trained(&Sample::crisis, crisisRecipe, recipe.crisisWeight, 11)
                        .head(QStringLiteral("crisis"), QStringLiteral("self_harm"), Action::Crisis, true),
                    trained(&Sample::illegal, recipe, recipe.illegalWeight, 13)
                        .head(QStringLiteral("illegal"), QStringLiteral("illegal"), Action::Block, false)});
}

} // namespace companion::lab
