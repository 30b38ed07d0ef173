#pragma once

#include "common/models/Character.h"

#include <QStringList>
#include <QStringView>
#include <functional>
#include <memory>

namespace companion::moderation {

// Flag: let through and recorded.
enum class Action { Allow, Flag, Block, Crisis };
enum class Direction { Input, Output };
enum class Severity { Normal, High };
enum class Stage { Rules, Classifier, Remote };

// What is screened: one message, or the part of a reply that is ready.
struct Text
{
    QStringView text;
    Direction direction = Direction::Input;
    Mode mode = Mode::Normal;
    // The same user's messages just before this one, oldest first. Rules that look across turns ("I am fifteen" … two
    // messages later …) read them together with the text; a hit always ends in the text itself.
    QStringList before = {};
};

// Why something was not simply allowed. All empty for `allow`.
struct Verdict
{
    Action action = Action::Allow;
    Direction direction = Direction::Input;
    Mode mode = Mode::Normal;
    Severity severity = Severity::Normal; // High: raised to the operator at once
    Stage stage = Stage::Rules;
    std::optional<float> score = {}; // of a model, 0 to 1; rules have none
    QString category; // sexual_minors, self_harm, weapons, violence, trafficking, …
    QString rule; // its id in the rule files; of a model its name and version
    qsizetype start = 0; // the span in the text, UTF-16 code units
    qsizetype length = 0;

    bool isAllowed() const { return action == Action::Allow; }
    bool isFlagged() const { return action == Action::Flag; }
    bool isStopped() const { return isBlocked() || isCrisis(); }
    bool isBlocked() const { return action == Action::Block; }
    bool isCrisis() const { return action == Action::Crisis; }
};

// Decides about a text. Implementations are immutable once made, safe on any thread, and fast enough for the loop
// (the rules: well under 100 µs for a usual message; docs/moderation.md).
class Screen
{
public:
    virtual ~Screen() = default;
    virtual Verdict screen(const Text &text) const = 0;
};

// What one step of a streamed reply may show.
struct Release
{
    QString text; // passed; may be empty
    std::optional<Verdict> hit; // set: nothing more may be shown, and what was shown is withdrawn
};

// Screens a reply while it streams: text is held back until the sentence it stands in is complete (or, in a sentence
// that does not end, until `window` further words have come) and has passed together with what stood before it.
// `before` is what Text::before is: the user's messages that the reply answers.
// After a hit every further call answers that hit again. One per reply; not shared between threads.
class OutputScreen
{
public:
    OutputScreen(std::shared_ptr<const Screen> screen, Mode mode, QStringList before = {}, int window_words = 40);

    Release feed(const QString &delta);
    Release finish(); // the rest

    const QString &released() const { return m_released; }

private:
    Release release(qsizetype length);
    qsizetype readyLength() const;
    std::optional<Verdict> screened() const;

    std::shared_ptr<const Screen> m_screen;
    Mode m_mode;
    QStringList m_before;
    int m_window;
    QString m_released;
    QString m_pending;
    qsizetype m_read = 0; // how far the reply has been screened and passed
    std::optional<Verdict> m_hit;
};

} // namespace companion::moderation

namespace companion {
template <>
struct EnumNames<moderation::Action>
{
    using A = moderation::Action;
    static constexpr std::array values{std::pair{A::Allow, "allow"}, std::pair{A::Flag, "flag"},
                                       std::pair{A::Block, "block"}, std::pair{A::Crisis, "crisis"}};
};
template <>
struct EnumNames<moderation::Direction>
{
    using D = moderation::Direction;
    static constexpr std::array values{std::pair{D::Input, "input"}, std::pair{D::Output, "output"}};
};
template <>
struct EnumNames<moderation::Stage>
{
    using S = moderation::Stage;
    static constexpr std::array values{std::pair{S::Rules, "rules"}, std::pair{S::Classifier, "classifier"},
                                       std::pair{S::Remote, "remote"}};
};
template <>
struct EnumNames<moderation::Severity>
{
    using S = moderation::Severity;
    static constexpr std::array values{std::pair{S::Normal, "normal"}, std::pair{S::High, "high"}};
};
} // namespace companion
