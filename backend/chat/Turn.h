#pragma once

#include "billing/Price.h"
#include "common/models/Chat.h"
#include "identity/AccessTokens.h"
#include "llm/LanguageModel.h"
#include "memory/MemoryService.h"
#include "moderation/Screen.h"

#include <variant>

namespace companion::chat {

// What a client asks for: one reply.
struct TurnOrder
{
    MessageId message = MessageId::create(); // the reply's id to be
    identity::TokenClaims claims; // who asks
    std::optional<SessionId> session; // none: the stateless /v1 door
    QString character;                // stateless only: slug
    QString text;                     // the user's message
    QList<llm::ChatMessage> context = {}; // stateless only: what came before, the caller's own
    std::optional<Mode> mode;             // for this turn; the session's, or normal
    int maxTokens = 512;
    std::optional<double> temperature;
    QString route;          // scope of the idempotency key
    QString idempotencyKey; // empty: none
    QByteArray fingerprint; // of the body
    std::optional<memory::Gathered> gathered = {}; // what recalling needed from the network
    // What the remote stage said of the text, where there is one; its words count only where the local ones allow.
    std::optional<moderation::Verdict> remote = {};

    const UserId &user() const { return claims.user; }
};

// A turn under way: its hold is committed, the model is to be asked.
struct Turn
{
    MessageId message; // the reply's id
    UserId user;
    std::optional<SessionId> session;
    Mode mode = Mode::Normal;
    QString model; // as clients name it: "aria", "aria:spicy"
    QString personaName;
    QString text;
    HoldId hold;
    Credits held;
    billing::PriceTerms price;
    QDateTime createdAt;
    QDateTime deadline;
    QList<llm::ChatMessage> prompt;
    qsizetype instructions = 0; // of its first text, the persona's and the house's; the rest is what is remembered
    int promptEstimate = 0; // its tokens, before any margin
    int maxTokens = 512;
    std::optional<int> clampedMaxTokens;
    std::optional<double> temperature;
    std::optional<QString> disclosure;
    QString disclosureReason = {};
    QStringList userBefore = {}; // what the user said in the window: rules read a reply beside it
    QList<UsedMemory> memories = {}; // in the prompt
    QStringList degraded = {};       // what it had to do without
    bool remember = false;           // its messages become memories
    int priority = 0;                // of the tier, when the model's connections are contended
};

// How a turn ended well: everything an answer says.
struct Outcome
{
    MessageId message;
    QDateTime createdAt;
    QString model;
    QString content;
    QString finishReason;
    Usage usage;
    CompanionPart companion;
    bool replayed = false;
};

// A refusal that an Idempotency-Key keeps: 402 or 451, answered again to the same request.
struct KeptRefusal
{
    Refusal refusal;
};

// Nothing speaks against the turn; what it is to be reminded of has to be waited for, on the loop. Then it begins anew
// with what was gathered.
struct ToGather
{
    QString space;
    QString question; // to be embedded
};

using Admission = std::variant<Turn, Outcome, KeptRefusal, ToGather>;

} // namespace companion::chat
