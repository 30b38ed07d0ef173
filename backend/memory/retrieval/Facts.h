#pragma once

#include <QDateTime>
#include <QString>
#include <optional>
#include <vector>

// After Qt's: moc cannot read <concepts> first.
#include "common/describe/EnumText.h"

namespace companion::memory {

enum class FactKind {
    Name,
    Age,
    Birthday,
    Home,
    Origin,
    Job,
    Workplace,
    Study,
    Relationship,
    Person,
    Pet,
    Likes,
    Dislikes,
    Health,
    Plan,
    Event,
    Language,
    Possession
};

} // namespace companion::memory

namespace companion {
template <>
struct EnumNames<memory::FactKind>
{
    using K = memory::FactKind;
    static constexpr std::array values{std::pair{K::Name, "name"},
                                       std::pair{K::Age, "age"},
                                       std::pair{K::Birthday, "birthday"},
                                       std::pair{K::Home, "home"},
                                       std::pair{K::Origin, "origin"},
                                       std::pair{K::Job, "job"},
                                       std::pair{K::Workplace, "workplace"},
                                       std::pair{K::Study, "study"},
                                       std::pair{K::Relationship, "relationship"},
                                       std::pair{K::Person, "person"},
                                       std::pair{K::Pet, "pet"},
                                       std::pair{K::Likes, "likes"},
                                       std::pair{K::Dislikes, "dislikes"},
                                       std::pair{K::Health, "health"},
                                       std::pair{K::Plan, "plan"},
                                       std::pair{K::Event, "event"},
                                       std::pair{K::Language, "language"},
                                       std::pair{K::Possession, "possession"}};
};
} // namespace companion

namespace companion::memory {

// Something a user said of their life. `subject` is "user" or who it is about ("sister", "sister Anna", "dog");
// `value` is in the user's own words ("Berlin", "a nurse", "hiking").
struct Fact
{
    FactKind kind = FactKind::Name;
    QString subject = QStringLiteral("user");
    QString value;
    double confidence = 0; // 0 to 1
    QDateTime saidAt;
    std::optional<QDate> on; // the day of a birthday, plan or event, where it was told
    bool ended = false;      // said to hold no longer ("I don't live in Berlin any more"): takes back, adds nothing
    bool operator==(const Fact &) const = default;
};

// Two facts with the same key cannot both hold: the later replaces the earlier. "home:user", "likes:user:sushi".
QString keyOf(const Fact &fact);
// "Lives in Berlin", "Has a sister, Anna": for the prompt, the user's own list and the console.
QString sentenceOf(const Fact &fact);

// What a user's message states of the user's own life, by general patterns: not what is wished, supposed, asked,
// quoted, denied or played ("if I were a doctor", "*pretends to live in Rome*"). English first, the plain forms of
// German and Spanish too. Pure; any thread.
std::vector<Fact> factsIn(QStringView userMessage, const QDateTime &saidAt);

// What becomes of the facts that are kept when new ones are told.
struct FactChanges
{
    std::vector<Fact> added;          // new, to be kept
    std::vector<size_t> superseded;   // indexes into `kept` that hold no longer
    std::vector<size_t> confirmed;    // indexes into `kept` that were told again: their saidAt and confidence rise
};
FactChanges consolidate(const std::vector<Fact> &kept, const std::vector<Fact> &found);

} // namespace companion::memory
