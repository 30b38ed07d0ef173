#include "moderation/Engine.h"

#include "moderation/RuleScreen.h"

namespace companion::moderation {

namespace {

Verdict verdictOf(const Text &text, const RuleBook &rules)
{
    Verdict verdict{.direction = text.direction, .mode = text.mode};
    if (const auto hit = rules.find(text)) {
        verdict.action = hit->rule->action;
        verdict.severity = hit->rule->severity;
        verdict.category = hit->rule->category;
        verdict.rule = hit->rule->id;
        verdict.start = hit->start;
        verdict.length = hit->length;
    }
    return verdict;
}

} // namespace

std::expected<std::shared_ptr<Engine>, QStringList> Engine::load()
{
    auto rules = RuleBook::compile(RuleScreen::filesOf(RuleScreen::builtInFolder()));
    if (!rules)
        return std::unexpected(rules.error());
    auto classifier = Classifier::load();
    if (!classifier)
        return std::unexpected(QStringList{classifier.error()});
    return std::make_shared<Engine>(std::move(*rules), std::move(*classifier));
}

Engine::Engine(std::shared_ptr<const RuleBook> rules, std::shared_ptr<const Classifier> classifier)
    : m_rules(std::move(rules))
    , m_classifier(std::move(classifier))
{
}

Verdict Engine::screen(const Text &text) const
{
    return screen(text, *m_rules.load(), m_classifier.get());
}

// A flag is the rules' mildest word: what the classifier would stop is stopped all the same.
Verdict Engine::screen(const Text &text, const RuleBook &rules, const Classifier *classifier)
{
    Verdict verdict = verdictOf(text, rules);
    if (verdict.isStopped() || !classifier || text.direction == Direction::Output)
        return verdict;
    if (const auto found = classifier->find(text)) {
        verdict.stage = Stage::Classifier;
        verdict.action = found->head->action;
        verdict.severity = Severity::Normal;
        verdict.category = found->head->category;
        verdict.rule = QStringLiteral("classifier-%1-%2").arg(found->head->name, classifier->version());
        verdict.score = found->score;
        verdict.start = found->start;
        verdict.length = found->length;
    }
    return verdict;
}

} // namespace companion::moderation
