#pragma once

#include "llm/LanguageModel.h"

#include <chrono>

namespace companion::llm {

struct RehearsalOptions
{
    // Mean time from one token to the next; 0 answers at once (COMPANION_REHEARSAL_PACE, milliseconds).
    std::chrono::milliseconds pace{30};
    // Obey [[rehearse: …]] in the last user message. Never in production.
    bool triggers = false;
};

// The model that answers where no key is configured: in process, no network, the same conversation always gets the
// same reply. It plays the persona it finds in the system prompt well enough to try the product, and is labelled
// everywhere: its name is "rehearsal". Usage is counted by its own tokens (rehearsal/RehearsalTokens.h), exactly, and
// never exceeds estimateTokens() for the prompt.
class RehearsalModel final : public LanguageModel
{
    Q_OBJECT
public:
    explicit RehearsalModel(const RehearsalOptions &options = {}, QObject *parent = nullptr);

    Generation *start(const Request &request) override;
    QString name() const override;
    bool isRehearsal() const override { return true; }
    std::pair<QString, QString> health() const override;

private:
    RehearsalOptions m_options;
};

} // namespace companion::llm
