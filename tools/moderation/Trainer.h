#pragma once

#include "Corpus.h"
#include "moderation/Classifier.h"

#include <functional>

namespace companion::lab {

struct Recipe
{
    float epochs = 12;
    float rate = 0.25F;
    float decay = 5e-3F; // of the weights, each time they are touched
    float dropped = 0.25F; // of the features, each time
    float illegalWeight = 6;
    // The crisis head's own: its texts are few and long, and a blunter model confuses sorrow with danger.
    float crisisEpochs = 16;
    float crisisDecay = 6e-4F;
    float crisisCareful = 15;
    float crisisWeight = 10;
    float ownWeight = 0.5F; // of a text of our own, beside a published one of its kind
    float carefulWeight = 50; // of harmless texts that are near the line, beside ordinary talk
};

// A sample's features: of each message by itself, and for conversations of the messages together.
struct Prepared
{
    const Sample *sample = nullptr;
    std::vector<moderation::Features> parts;
};
std::vector<Prepared> prepare(const std::vector<Sample> &samples);

// Logistic regression by AdaGrad; of each text the window counts that weighs most, as when it is used. Deterministic.
std::shared_ptr<const moderation::Classifier> train(const std::vector<Prepared> &prepared,
                                                    const std::function<bool(const Sample &)> &belongs,
                                                    const Recipe &recipe, const QString &version);

} // namespace companion::lab
