#pragma once

#include "moderation/Classifier.h"
#include "moderation/RuleBook.h"

#include <atomic>

namespace companion::moderation {

// The local stages together: the rules, and what they leave alone the classifier reads (users' messages only; it was
// trained on requests). The rules are exchanged while it runs: every text is read whole by the one or the other.
// Safe on any thread.
class Engine final : public Screen
{
public:
    // The rules and the model that the program carries in itself.
    static std::expected<std::shared_ptr<Engine>, QStringList> load();
    // Without a classifier (nullptr) the rules are all there is.
    Engine(std::shared_ptr<const RuleBook> rules, std::shared_ptr<const Classifier> classifier);

    Verdict screen(const Text &text) const override;
    static Verdict screen(const Text &text, const RuleBook &rules, const Classifier *classifier);

    std::shared_ptr<const RuleBook> rules() const { return m_rules.load(); }
    std::shared_ptr<const Classifier> classifier() const { return m_classifier; }
    void exchangeRules(std::shared_ptr<const RuleBook> rules) { m_rules.store(std::move(rules)); }

private:
    std::atomic<std::shared_ptr<const RuleBook>> m_rules;
    std::shared_ptr<const Classifier> m_classifier;
};

} // namespace companion::moderation
