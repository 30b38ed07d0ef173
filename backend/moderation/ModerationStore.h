#pragma once

#include "common/Result.h"
#include "common/models/Moderation.h"
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

enum class EventStatus { Open, Dismissed, Actioned, Escalated };
enum class EventAct { Dismiss, Warn, Suspend, Escalate };

struct ModerationFilter
{
    std::optional<UserId> user;
    std::optional<Action> action;
    std::optional<Severity> severity;
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

    Page<ModerationRecord> events(db::Session &db, const ModerationFilter &filter, const PageRequest &page) const;
    Result<ModerationRecord> find(db::Session &db, const ModerationEventId &id) const;
    // The text, for an operator who gave a reason (the caller writes that to the audit log). not_found: also when it
    // was dropped, or sealed with a key that is not known any more.
    Result<QString> text(db::Session &db, const ModerationEventId &id) const;
    // What an operator did about it; what follows for the user is the caller's.
    Result<ModerationRecord> actOn(db::Session &db, const ModerationEventId &id, EventAct act, const UserId &actor,
                                   const QString &reason) const;
    // How the records of late would be decided today, counted by the rule that decided then.
    QList<RuleRecount> recount(db::Session &db, const QDateTime &since, int limit,
                               const std::function<bool(const Text &)> &isStopped) const;
    // The texts of records from before that time are gone; says how many (at most `batch`). For the retention job.
    int dropTexts(db::Session &db, const QDateTime &before, int batch) const;

    QList<CrisisCount> crisisCounts(db::Session &db, int year) const;
    Page<DisclosureRecord> disclosures(db::Session &db, const std::optional<UserId> &user,
                                       const std::optional<SessionId> &session, const PageRequest &page) const;

    void warn(db::Session &db, const UserId &user, const QString &text) const;
    // To everybody who talked with the character since then. Says to how many.
    int announcePersonaChange(db::Session &db, const CharacterId &character, const QString &text,
                              const QDateTime &since) const;
    QList<UserNotice> notices(db::Session &db, const UserId &user) const;
    bool seeNotice(db::Session &db, const UserId &user, const QString &id) const;

private:
    TextCipher m_cipher;
};

} // namespace companion::moderation

namespace companion {
template <>
struct EnumNames<moderation::EventAct>
{
    using A = moderation::EventAct;
    static constexpr std::array values{std::pair{A::Dismiss, "dismiss"}, std::pair{A::Warn, "warn"},
                                       std::pair{A::Suspend, "suspend"}, std::pair{A::Escalate, "escalate"}};
};
template <>
struct EnumNames<moderation::EventStatus>
{
    using S = moderation::EventStatus;
    static constexpr std::array values{std::pair{S::Open, "open"}, std::pair{S::Dismissed, "dismissed"},
                                       std::pair{S::Actioned, "actioned"}, std::pair{S::Escalated, "escalated"}};
};
} // namespace companion
