#pragma once

#include "common/Result.h"
#include "common/models/Page.h"
#include "db/Session.h"
#include "moderation/Screen.h"
#include "moderation/TextCipher.h"

namespace companion::moderation {

struct NewModerationEvent
{
    UserId user;
    std::optional<SessionId> session;
    std::optional<MessageId> message; // the turn's
    Verdict verdict; // never `allow`
    QString text; // what was screened; stored encrypted only
};

enum class EventStatus { Open, Dismissed, Actioned };

// One record as the operators' queue shows it: no text.
struct ModerationEvent
{
    ModerationEventId id;
    UserId user;
    std::optional<SessionId> session;
    std::optional<MessageId> message;
    Direction direction = Direction::Input;
    Action action = Action::Block;
    Severity severity = Severity::Normal;
    QString category;
    QString rule;
    Mode mode = Mode::Normal;
    EventStatus status = EventStatus::Open;
    QDateTime createdAt;
};

struct ModerationFilter
{
    std::optional<UserId> user;
    std::optional<Action> action;
    std::optional<QString> category;
    std::optional<EventStatus> status;
    std::optional<QDateTime> from;
    std::optional<QDateTime> to;
};

// The moderation record. record() works for the app role inside a transaction of that very user (it may only insert,
// and never read); the rest needs the operator role. A refused turn must still commit its record: call record() in a
// transaction that is committed, not in one that the refusal rolls back.
class ModerationStore
{
public:
    explicit ModerationStore(TextCipher cipher);

    ModerationEventId record(db::Session &db, const NewModerationEvent &event) const;

    Page<ModerationEvent> events(db::Session &db, const ModerationFilter &filter, const PageRequest &page) const;
    Result<ModerationEvent> find(db::Session &db, const ModerationEventId &id) const;
    // The text, for an operator who gave a reason (the caller writes that to the audit log). not_found: also when it
    // was dropped, or sealed with another key.
    Result<QString> text(db::Session &db, const ModerationEventId &id) const;
    Result<ModerationEvent> setStatus(db::Session &db, const ModerationEventId &id, EventStatus status) const;

private:
    TextCipher m_cipher;
};

} // namespace companion::moderation

namespace companion {
template <>
struct EnumNames<moderation::EventStatus>
{
    using S = moderation::EventStatus;
    static constexpr std::array values{std::pair{S::Open, "open"}, std::pair{S::Dismissed, "dismissed"},
                                       std::pair{S::Actioned, "actioned"}};
};
} // namespace companion
