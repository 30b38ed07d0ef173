#pragma once

#include "common/describe/EnumText.h"

#include <QDateTime>
#include <QHash>
#include <QString>
#include <array>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>

namespace companion::moderation {

class RuleBook;

enum class DisclosureReason { SessionStart, Asked, Interval };

// How often a continuing session is told again: by the country's law, and more often where the age is not verified.
struct DisclosureTimes
{
    std::chrono::seconds every = std::chrono::hours(3);
    std::optional<std::chrono::seconds> unverified = {}; // of users without a verified age, where that is sooner
    QHash<QString, std::chrono::seconds> byRegion = {}; // ISO 3166-1 alpha-2; takes the place of `every`

    std::chrono::seconds of(const std::optional<QString> &region, bool ageVerified) const;
};

// One user message, and when this session was last told. The interval is counted over a continuing session: a session
// that was told before and goes on is told again after `every`, whenever its next message comes.
struct Occasion
{
    QDateTime now;
    std::optional<QDateTime> lastTold; // nullopt: this session has not been told yet
    QStringView message;
    QString characterName;
    std::optional<QString> region = {};
    bool ageVerified = true;
    QString locale; // BCP 47; the message's own language wins when the question was asked in it
};

struct DisclosureNotice
{
    DisclosureReason reason = DisclosureReason::SessionStart;
    QString text; // for `companion.disclosure`; the session's `lastTold` becomes `now`
};

// Says when the product has to say that it is an AI: at a session's start, when asked, and every three hours.
// Immutable, safe on any thread.
class Disclosure
{
public:
    // The folder holds questions.json, a rule file whose categories are languages, and texts.json.
    static QString builtInFolder();
    static std::expected<std::shared_ptr<const Disclosure>, QStringList> load(const QString &folder = builtInFolder(),
                                                                              DisclosureTimes times = {});

    std::optional<DisclosureNotice> due(const Occasion &occasion) const;
    // Whether the text asks if it talks to a machine, in any of the languages of the file ("en", "de", "es", …).
    std::optional<QString> askedIn(QStringView message) const;
    QStringList languages() const { return m_texts.keys(); }

private:
    Disclosure() = default;
    QString textFor(DisclosureReason reason, const QString &locale, const QString &name) const;

    std::shared_ptr<const RuleBook> m_questions;
    QHash<QString, QHash<DisclosureReason, QString>> m_texts; // by language; %1 is the character's name
    DisclosureTimes m_times;
};

} // namespace companion::moderation

namespace companion {
template <>
struct EnumNames<moderation::DisclosureReason>
{
    using R = moderation::DisclosureReason;
    static constexpr std::array values{std::pair{R::SessionStart, "session_start"}, std::pair{R::Asked, "asked"},
                                       std::pair{R::Interval, "interval"}};
};
} // namespace companion
