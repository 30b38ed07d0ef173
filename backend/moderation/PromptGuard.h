#pragma once

#include "moderation/Screen.h"

#include <cstdint>
#include <unordered_set>

namespace companion::moderation {

// Another screen, and with it: no reply repeats its own instructions. A run of `run` words that stands in the prompt
// just so, whatever the signs and spelling between them, is blocked (category prompt_leak). One per reply; not shared
// between threads.
class PromptGuard final : public Screen
{
public:
    static constexpr int run_words = 12;

    PromptGuard(std::shared_ptr<const Screen> inner, QStringView instructions);
    Verdict screen(const Text &text) const override;

private:
    std::shared_ptr<const Screen> m_inner;
    std::unordered_set<std::uint64_t> m_runs;
};

} // namespace companion::moderation
