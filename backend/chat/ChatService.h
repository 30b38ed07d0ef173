#pragma once

#include "billing/Entitlements.h"
#include "billing/TierStore.h"
#include "characters/CharacterService.h"
#include "chat/SessionStore.h"
#include "chat/TurnStore.h"
#include "identity/Account.h"
#include "ledger/Ledger.h"
#include "moderation/Crisis.h"
#include "moderation/Disclosure.h"
#include "moderation/ModerationStore.h"
#include "moderation/Screen.h"

#include <functional>
#include <vector>

namespace companion::chat {

struct ChatTerms
{
    Credits ratePer1k = Credits::fromUnits(1000);
    Credits minimumCharge = Credits::fromUnits(100);
    Factor holdMargin = Factor::fromUnits(11'500); // on the estimated prompt
    int windowMessages = 10;
    int minimumTokens = 16; // fewer affordable ones are not worth a reply
    int generationLimit_s = 300;
    int settleGrace_s = 60; // the hold's deadline is both together
};

// What the chat's rules lean on. All outlive the service; all safe on any worker.
struct ChatParts
{
    const ledger::Ledger &ledger;
    const characters::CharacterService &characters;
    const billing::TierStore &tiers;
    const moderation::ModerationStore &moderation;
    std::shared_ptr<const moderation::Screen> screen;
    std::shared_ptr<const moderation::Disclosure> disclosure;
    std::shared_ptr<const moderation::HelpLines> helpLines;
    // Status and roles as the database says now.
    std::function<Result<identity::Account>(db::Session &, const identity::TokenClaims &)> account;
    billing::EntitlementStore entitlements = billing::EntitlementStore();
    const memory::MemoryService *memory = nullptr; // null: nobody's memory is longer than the window
};

// A turn whose reply is there, to be settled.
struct EndedTurn
{
    Turn turn;
    llm::Completion completion;
};

// The rules of sessions and turns, as plain blocking acts on the app lane. open and removeSession run in the caller's
// transaction; the others outside of any, and each leaves a state that another instance can go on from.
class ChatService
{
public:
    ChatService(ChatParts parts, ChatTerms terms);

    Result<ChatSession> open(db::Session &db, const identity::Account &account, const NewSession &wanted) const;
    // Both with their memories; the receipt says what was forgotten. conflict: turn_in_progress
    Result<std::optional<MemoryReceipt>> removeMessage(db::Session &db, const UserId &user,
                                                       const MessageId &message) const;
    Result<std::optional<MemoryReceipt>> removeSession(db::Session &db, const UserId &user,
                                                       const SessionId &session) const;

    // What a reply could cost at most; charges nothing and holds nothing.
    Result<Quote> quote(db::Session &db, const TurnOrder &order) const;

    // A turn's first part: recall an earlier answer, screen, load the scene, hold.
    Result<Admission> begin(db::Session &db, const TurnOrder &order) const;
    // Its last: charge what was used, at most what was held, and keep the reply. Any number of times the same outcome.
    Result<Outcome> settle(db::Session &db, const Turn &turn, const llm::Completion &completion) const;
    // Both for many turns at once, in a few statements for all of them; operator role. Nothing for whoever is not the
    // plain case (docs/architecture.md): nothing was done for it, and begin() or settle() by itself does it.
    std::vector<std::optional<Admission>> beginTogether(db::Session &db, const std::vector<TurnOrder> &orders) const;
    std::vector<std::optional<Outcome>> settleTogether(db::Session &db, const std::vector<EndedTurn> &ended) const;
    // Or give it up: nothing is charged, nothing kept, and its key is free again. One that had been settled after all
    // (the commit's answer was lost) stays so, and its outcome is answered.
    std::optional<Outcome> giveUp(db::Session &db, const UserId &user, const MessageId &message) const;
    // A reply that broke the rules: given up, and recorded for the operator.
    void withdraw(db::Session &db, const Turn &turn, const moderation::Verdict &verdict, const QString &text) const;

    // How a turn ended, for whoever comes back for it. gone: voided. conflict: another instance is at it. not_found.
    Result<Outcome> outcomeOf(db::Session &db, const UserId &user, const MessageId &message) const;
    // Whether they may still come back for it: unauthenticated, account_suspended.
    Result<bool> mayReturn(db::Session &db, const identity::TokenClaims &claims) const;

    // Turns whose instance died: each is given up once its deadline has passed. Operator lane; says how many.
    int sweepOverdue(db::Session &db, int batch) const;
    // Daily: the coming months' partitions of the messages; says how many were made. Operator lane.
    int makePartitions(db::Session &db) const;

    const ChatTerms &terms() const { return m_terms; }
    const std::shared_ptr<const moderation::Screen> &screen() const { return m_parts.screen; }

private:
    std::optional<Result<Admission>> admit(db::Session &db, const TurnOrder &order, const Scene &scene,
                                           bool last) const;
    std::optional<Result<Admission>> recall(db::Session &db, const TurnOrder &order) const;
    std::optional<Result<Admission>> waitForRunning(db::Session &db, const TurnOrder &order,
                                                    const LockedSession &session) const;
    std::optional<Result<Admission>> answerCrisis(db::Session &db, const TurnOrder &order, const Scene &scene,
                                                  const moderation::Verdict &verdict) const;
    std::optional<Result<Admission>> hold(db::Session &db, const TurnOrder &order, const Scene &scene, bool last) const;
    std::unexpected<Refusal> block(db::Session &db, const TurnOrder &order, const Scene &scene,
                                   const moderation::Verdict &verdict) const;
    Result<void> checkMode(const Scene &scene) const;
    Result<void> checkFunds(db::Session &db, const Scene &scene, Credits held) const;
    moderation::Verdict screenMessage(const TurnOrder &order, const Scene &scene) const;
    bool remembers(const Scene &scene) const;
    memory::RecallOrder recallOrder(const TurnOrder &order, const Scene &scene) const;
    memory::Recollection recall(db::Session &db, const TurnOrder &order, const Scene &scene) const;
    Result<Turn> prepare(const TurnOrder &order, const Scene &scene, const QDateTime &now,
                         const memory::Recollection &recollection = {}) const;
    void keepRefusal(db::Session &db, const TurnOrder &order, const Scene &scene, const Refusal &refusal) const;
    void flag(db::Session &db, const TurnOrder &order, const moderation::Verdict &verdict) const;
    void record(db::Session &db, const TurnOrder &order, const std::optional<MessageId> &message,
                const moderation::Verdict &verdict, const QString &text) const;
    Outcome outcomeFrom(db::Session &db, const TurnRecord &record) const;
    // The settled turn, where its settlement was quicker.
    std::optional<Outcome> voidRecord(db::Session &db, const TurnRecord &record) const;
    std::optional<Turn> plainTurn(const TurnOrder &order, const Scene &scene, const QDateTime &now) const;
    static Outcome outcomeToBe(const Turn &turn, const llm::Completion &completion, const QDateTime &now);
    static Settling settlingOf(const Turn &turn, const llm::Completion &completion, const Outcome &outcome);
    static QJsonObject chargeMetadata(const Turn &turn, const llm::Completion &completion, Credits price);

    ChatParts m_parts;
    ChatTerms m_terms;
    SceneStore m_scenes;
    SessionStore m_sessions;
    TurnStore m_turns;
};

} // namespace companion::chat
