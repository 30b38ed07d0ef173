#include "chat/ChatService.h"

#include "chat/CompletionJson.h"
#include "chat/Prompt.h"

#include <algorithm>

namespace companion::chat {

using namespace Qt::StringLiterals;

// Everything a turn is decided by, as the database says at its start.
struct ChatService::Scene
{
    identity::Account account;
    billing::TierTerms tier;
    Balance balance;
    std::optional<LockedSession> session;
    characters::VersionedPersona persona;
    Mode mode = Mode::Normal;
    QList<llm::ChatMessage> before;
    QStringList userBefore; // what the user said in the window, for rules that look across turns
};

namespace {

Refusal notFound()
{
    return {ErrorCode::NotFound, u"There is no such session."_s};
}

llm::ChatMessage asPrompt(const Message &message)
{
    using Role = llm::ChatMessage::Role;
    return {message.role == MessageRole::User ? Role::User : Role::Assistant, message.content};
}

qint64 promptTokensHeld(const QList<llm::ChatMessage> &prompt, Factor margin)
{
    const qint64 estimate = llm::estimateTokens(prompt);
    return (estimate * margin.units() + 9'999) / 10'000;
}

QString modelName(const characters::VersionedPersona &persona, Mode mode)
{
    return mode == Mode::Spicy ? QString(persona.slug + u":spicy"_s) : persona.slug;
}

} // namespace

ChatService::ChatService(ChatParts parts, ChatTerms terms)
    : m_parts(std::move(parts))
    , m_terms(terms)
{
}

Result<ChatSession> ChatService::open(db::Session &db, const identity::Account &account, const NewSession &wanted) const
{
    const auto persona = m_parts.characters.current(db, wanted.character);
    if (!persona)
        return std::unexpected(persona.error());
    const Scene scene{.account = account,
                      .tier = m_parts.tiers.terms(db, account.tier()),
                      .balance = {},
                      .session = {},
                      .persona = *persona,
                      .mode = wanted.mode,
                      .before = {},
                      .userBefore = {}};
    if (const auto allowed = checkMode(scene); !allowed)
        return std::unexpected(allowed.error());
    const SessionId id = SessionId::create();
    m_sessions.insert(db,
                      {.id = id,
                       .user = account.id(),
                       .character = persona->character,
                       .personaVersion = persona->version,
                       .mode = wanted.mode,
                       .title = wanted.title.value_or(persona->persona.name)});
    return *m_sessions.find(db, id);
}

Result<void> ChatService::removeSession(db::Session &db, const UserId &, const SessionId &session) const
{
    const auto locked = m_sessions.lock(db, session);
    if (!locked)
        return std::unexpected(notFound());
    if (const auto idle = waitForNone(db, Scene{.session = locked}); !idle)
        return idle;
    m_sessions.remove(db, session);
    return {};
}

Result<Quote> ChatService::quote(db::Session &db, const TurnOrder &order) const
{
    db::Transaction transaction(db, order.user());
    const auto scene = loadScene(db, order, false);
    if (!scene)
        return std::unexpected(scene.error());
    const auto turn = prepare(order, *scene, db.now());
    transaction.commit();

    const auto prompt = buildPrompt({.persona = scene->persona.persona,
                                     .mode = scene->mode,
                                     .userName = scene->account.user.displayName,
                                     .before = scene->before,
                                     .message = order.text});
    const qint64 promptTokens = promptTokensHeld(prompt, m_terms.holdMargin);
    const billing::PriceTerms price{m_terms.ratePer1k, m_terms.minimumCharge, scene->persona.persona.priceMultiplier,
                                    scene->tier.discount};
    const qint64 affordable = billing::tokensFor(scene->balance.available, price) - promptTokens;
    Quote quote;
    quote.maxCost = billing::priceOf(promptTokens + order.maxTokens, price);
    quote.affordableMaxTokens = static_cast<int>(std::clamp<qint64>(affordable, 0, 4096));
    quote.wouldClamp = !turn || turn->clampedMaxTokens.has_value();
    return quote;
}

// The story of a turn's beginning. What must be kept although the turn is refused (the day's refresh, the moderation
// record, a kept refusal) is committed with it; before the hold nothing else is written.
Result<Admission> ChatService::begin(db::Session &db, const TurnOrder &order) const
{
    db::Transaction transaction(db, order.user());
    auto admission = admit(db, order);
    transaction.commit();
    return admission;
}

Result<Admission> ChatService::admit(db::Session &db, const TurnOrder &order) const
{
    if (const auto account = m_parts.account(db, order.claims); !account) // also for an answer given before
        return std::unexpected(account.error());
    auto earlier = recall(db, order);
    if (!earlier)
        return std::unexpected(earlier.error());
    if (*earlier)
        return std::move(**earlier);

    const auto scene = loadScene(db, order, true);
    if (!scene)
        return std::unexpected(scene.error());
    if (const auto idle = waitForNone(db, *scene); !idle) {
        // Perhaps it is the same request that was quicker.
        earlier = recall(db, order);
        if (!earlier)
            return std::unexpected(earlier.error());
        return *earlier ? Result<Admission>(std::move(**earlier)) : std::unexpected(idle.error());
    }

    const auto verdict = screenMessage(order, *scene);
    if (verdict.isCrisis())
        return answerCrisis(db, order, *scene, verdict);
    if (verdict.isBlocked()) {
        record(db, order, std::nullopt, verdict, order.text);
        const Refusal refusal{ErrorCode::ContentBlocked, u"This message breaks the content policy."_s};
        keepRefusal(db, order, *scene, refusal);
        return std::unexpected(refusal);
    }
    return hold(db, order, *scene);
}

Result<std::optional<Admission>> ChatService::recall(db::Session &db, const TurnOrder &order) const
{
    if (order.idempotencyKey.isEmpty())
        return std::nullopt;
    const auto earlier = m_turns.byKey(db, order);
    if (!earlier)
        return std::nullopt;
    if (earlier->fingerprint != order.fingerprint)
        return refuse(ErrorCode::IdempotencyKeyReused, u"This Idempotency-Key was used for another request."_s);
    switch (earlier->status) {
    case TurnStatus::Settled: {
        Outcome outcome = outcomeFrom(db, *earlier);
        outcome.replayed = true;
        return Admission(outcome);
    }
    case TurnStatus::Refused:
        return Admission(KeptRefusal{readKeptRefusal(earlier->answer)});
    case TurnStatus::Running:
        if (earlier->deadline < db.now()) {
            auto settled = voidRecord(db, *earlier);
            if (!settled)
                return std::nullopt;
            settled->replayed = true;
            return Admission(*settled);
        }
        return std::unexpected(Refusal{.code = ErrorCode::IdempotencyInProgress,
                                       .detail = u"The first request with this key is still running."_s,
                                       .retryAfter_s = 1});
    case TurnStatus::Voided:
        break;
    }
    return std::nullopt;
}

// Lock order: the wallet's row first (the balance), then the session's.
Result<ChatService::Scene> ChatService::loadScene(db::Session &db, const TurnOrder &order, bool locking) const
{
    Scene scene;
    const auto account = m_parts.account(db, order.claims);
    if (!account)
        return std::unexpected(account.error());
    scene.account = *account;
    scene.tier = m_parts.tiers.terms(db, account->tier());
    const auto balance = m_parts.ledger.balance(db, order.user(), scene.tier.dailyCredits);
    if (!balance)
        return std::unexpected(balance.error());
    scene.balance = *balance;

    if (const auto entered = enterSession(db, order, scene, locking); !entered)
        return std::unexpected(entered.error());
    if (const auto allowed = checkMode(scene); !allowed)
        return std::unexpected(allowed.error());
    return scene;
}

Result<void> ChatService::enterSession(db::Session &db, const TurnOrder &order, Scene &scene, bool locking) const
{
    if (!order.session) {
        const auto persona = m_parts.characters.current(db, order.character);
        if (!persona)
            return refuse(ErrorCode::ModelNotFound, u"There is no such model."_s);
        scene.persona = *persona;
        scene.mode = order.mode.value_or(Mode::Normal);
        scene.before = order.context;
        for (const llm::ChatMessage &message : order.context)
            if (message.role == llm::ChatMessage::Role::User)
                scene.userBefore.append(message.content);
        return {};
    }
    scene.session = locking ? m_sessions.lock(db, *order.session) : m_sessions.peek(db, *order.session);
    if (!scene.session)
        return std::unexpected(notFound());
    const auto persona = m_parts.characters.personaFor(db, scene.session->character, scene.session->personaVersion);
    if (!persona)
        return std::unexpected(persona.error());
    scene.persona = *persona;
    scene.mode = order.mode.value_or(scene.session->mode);
    for (const Message &message : m_sessions.window(db, *order.session, m_terms.windowMessages)) {
        scene.before.append(asPrompt(message));
        if (message.role == MessageRole::User)
            scene.userBefore.append(message.content);
    }
    return {};
}

// The gate of the spicy mode names the first term that fails: the character, the tier, the age.
Result<void> ChatService::checkMode(const Scene &scene) const
{
    if (!scene.persona.offers(scene.mode))
        return refuse(ErrorCode::ModeUnavailable, u"%1 has no spicy mode."_s.arg(scene.persona.persona.name));
    if (scene.mode == Mode::Normal)
        return {};
    if (!scene.tier.spicy)
        return refuse(ErrorCode::TierRequired, u"The spicy mode needs premium or vip."_s);
    if (!scene.account.user.ageVerified)
        return refuse(ErrorCode::AgeUnverified, u"The spicy mode needs a verified age."_s);
    return {};
}

// One turn at a time in a session; one whose instance died is given up once its deadline has passed.
Result<void> ChatService::waitForNone(db::Session &db, const Scene &scene) const
{
    if (!scene.session || !scene.session->runningTurn)
        return {};
    if (*scene.session->runningUntil >= db.now())
        return std::unexpected(Refusal{.code = ErrorCode::TurnInProgress,
                                       .detail = u"A turn is in progress in this session."_s,
                                       .retryAfter_s = 1});
    if (const auto overdue = m_turns.lock(db, *scene.session->runningTurn))
        (void)voidRecord(db, *overdue);
    return {};
}

moderation::Verdict ChatService::screenMessage(const TurnOrder &order, const Scene &scene) const
{
    // The stateless door's whole conversation is the caller's own: everything in it is screened.
    for (const llm::ChatMessage &message : order.context) {
        const auto verdict = m_parts.screen->screen({message.content, moderation::Direction::Input, scene.mode, {}});
        if (verdict.isBlocked())
            return verdict;
    }
    return m_parts.screen->screen({order.text, moderation::Direction::Input, scene.mode, scene.userBefore});
}

// Out of role, with the help lines, free; the user's words stay in the moderation record alone.
Outcome ChatService::answerCrisis(db::Session &db, const TurnOrder &order, const Scene &scene,
                                  const moderation::Verdict &verdict) const
{
    const auto answer = m_parts.helpLines->answer(scene.account.user.region, scene.account.user.locale);
    Outcome outcome{.message = order.message,
                    .createdAt = db.now(),
                    .model = modelName(scene.persona, scene.mode),
                    .content = answer.text,
                    .finishReason = u"stop"_s,
                    .usage = {},
                    .companion = {}};
    outcome.companion.messageId = outcome.message;
    outcome.companion.sessionId = order.session;
    outcome.companion.mode = scene.mode;
    outcome.companion.balance = scene.balance.summary();
    outcome.companion.crisis = answer.crisis;
    record(db, order, outcome.message, verdict, order.text);
    m_turns.insertEnded(db, order, outcome.message, TurnStatus::Settled, scene.mode, answer.text,
                        answerToKeep(outcome));
    if (order.session) {
        const QDateTime at = std::max(db.now(), scene.session->lastMessageAt.addMSecs(1));
        m_turns.insertReply(db, *order.session, order.user(), outcome, at);
        m_turns.countIn(db, *order.session, outcome.message, 1, {}, at, std::nullopt);
    }
    return outcome;
}

// What the turn will be: the prompt, the most it may cost, and how long a reply that allows.
Result<Turn> ChatService::prepare(const TurnOrder &order, const Scene &scene, const QDateTime &now) const
{
    Turn turn;
    turn.message = order.message;
    turn.user = order.user();
    turn.session = order.session;
    turn.mode = scene.mode;
    turn.model = modelName(scene.persona, scene.mode);
    turn.personaName = scene.persona.persona.name;
    turn.text = order.text;
    turn.temperature = order.temperature;
    turn.userBefore = scene.userBefore + QStringList{order.text};
    turn.priority = scene.tier.priority;
    turn.createdAt = scene.session ? std::max(now, scene.session->lastMessageAt.addMSecs(1)) : now;
    turn.deadline = now.addSecs(m_terms.generationLimit_s + m_terms.settleGrace_s);
    turn.price = {m_terms.ratePer1k, m_terms.minimumCharge, scene.persona.persona.priceMultiplier, scene.tier.discount};
    turn.prompt = buildPrompt({.persona = scene.persona.persona,
                               .mode = scene.mode,
                               .userName = scene.account.user.displayName,
                               .before = scene.before,
                               .message = order.text});

    const qint64 promptTokens = promptTokensHeld(turn.prompt, m_terms.holdMargin);
    turn.maxTokens = order.maxTokens;
    turn.held = billing::priceOf(promptTokens + order.maxTokens, turn.price);
    const Credits available = scene.balance.available;
    if (turn.held > available) {
        const qint64 affordable = billing::tokensFor(available, turn.price) - promptTokens;
        const Credits required = billing::priceOf(promptTokens + m_terms.minimumTokens, turn.price);
        if (affordable < std::min(m_terms.minimumTokens, order.maxTokens))
            return std::unexpected(
                Refusal{.code = ErrorCode::InsufficientCredits,
                        .detail = u"This reply needs %1 credits; %2 are available."_s.arg(required.toString(),
                                                                                          available.toString()),
                        .required = required,
                        .available = available});
        turn.maxTokens = static_cast<int>(std::min<qint64>(affordable, order.maxTokens));
        turn.clampedMaxTokens = turn.maxTokens;
        turn.held = billing::priceOf(promptTokens + turn.maxTokens, turn.price);
    }
    // A stateless conversation begins where the caller brings nothing along.
    const auto lastTold = scene.session ? scene.session->lastDisclosureAt
        : scene.before.isEmpty()        ? std::nullopt
                                        : std::optional(now);
    if (const auto notice = m_parts.disclosure->due({.now = now,
                                                     .lastTold = lastTold,
                                                     .message = order.text,
                                                     .characterName = scene.persona.persona.name,
                                                     .locale = scene.account.user.locale}))
        turn.disclosure = notice->text;
    return turn;
}

Result<Admission> ChatService::hold(db::Session &db, const TurnOrder &order, const Scene &scene) const
{
    auto turn = prepare(order, scene, db.now());
    if (turn) {
        const auto held = m_parts.ledger.hold(db,
                                              {.user = order.user(),
                                               .key = u"turn:"_s + turn->message.toString(),
                                               .amount = turn->held,
                                               .expiresAt = turn->deadline,
                                               .dailyLimit = scene.tier.dailyCredits});
        if (held)
            turn->hold = held->id;
        else
            turn = std::unexpected(held.error());
    }
    if (!turn) {
        if (turn.error().code == ErrorCode::InsufficientCredits)
            keepRefusal(db, order, scene, turn.error());
        return std::unexpected(turn.error());
    }
    if (!m_turns.insertRunning(db, *turn, order)) {
        // Another request with this key was quicker; its turn is the one that counts.
        ensure(m_parts.ledger.voidHold(db, order.user(), turn->hold).has_value(), "a hold just made can be voided");
        return std::unexpected(Refusal{.code = ErrorCode::IdempotencyInProgress,
                                       .detail = u"The first request with this key is still running."_s,
                                       .retryAfter_s = 1});
    }
    if (turn->session)
        m_turns.markRunning(db, *turn);
    return *turn;
}

void ChatService::keepRefusal(db::Session &db, const TurnOrder &order, const Scene &scene, const Refusal &refusal) const
{
    if (!order.idempotencyKey.isEmpty())
        m_turns.insertEnded(db, order, order.message, TurnStatus::Refused, scene.mode, QString(),
                            refusalToKeep(refusal));
}

void ChatService::record(db::Session &db, const TurnOrder &order, const std::optional<MessageId> &message,
                         const moderation::Verdict &verdict, const QString &text) const
{
    m_parts.moderation.record(
        db, {.user = order.user(), .session = order.session, .message = message, .verdict = verdict, .text = text});
}

Result<ledger::Settlement> ChatService::charge(db::Session &db, const Turn &turn,
                                               const llm::Completion &completion) const
{
    const Credits price = billing::priceOf(completion.usage.totalTokens, turn.price);
    QJsonObject metadata{{u"message_id"_s, turn.message.toString()},
                         {u"tokens"_s, completion.usage.totalTokens},
                         {u"model"_s, completion.model},
                         {u"character"_s, turn.model}};
    if (turn.session)
        metadata.insert(u"session_id"_s, turn.session->toString());
    if (price > turn.held) // our estimate was short: the difference is the operator's
        metadata.insert(u"uncharged"_s, (price - turn.held).toString());
    return m_parts.ledger.capture(db, turn.user, turn.hold, std::min(price, turn.held),
                                  u"Reply from %1"_s.arg(turn.personaName), metadata);
}

Result<Outcome> ChatService::settle(db::Session &db, const Turn &turn, const llm::Completion &completion) const
{
    db::Transaction transaction(db, turn.user);
    Outcome outcome{.message = turn.message,
                    .createdAt = turn.createdAt,
                    .model = turn.model,
                    .content = completion.text,
                    .finishReason = completion.finishReason,
                    .usage = completion.usage,
                    .companion = {}};
    CompanionPart &companion = outcome.companion;
    const auto settlement = charge(db, turn, completion);
    const auto record = m_turns.lock(db, turn.message);
    if (!record)
        return refuse(ErrorCode::NotFound, u"The session was deleted meanwhile."_s);
    if (record->status == TurnStatus::Settled)
        return outcomeFrom(db, *record); // this very settlement had committed before its answer was lost
    if (settlement) {
        companion.charge = settlement->charge;
        companion.balance = settlement->balance;
    } else { // past its deadline, and given up by somebody: the user keeps the reply, free
        m_turns.giveKeyUp(db, turn.message);
        const auto tier = m_parts.tiers.termsOf(db, turn.user);
        const auto balance = m_parts.ledger.balance(db, turn.user, tier ? tier->dailyCredits : Credits());
        if (!balance)
            return std::unexpected(balance.error());
        companion.balance = balance->summary();
    }
    companion.sessionId = turn.session;
    companion.messageId = turn.message;
    companion.mode = turn.mode;
    companion.clampedMaxTokens = turn.clampedMaxTokens;
    companion.disclosure = turn.disclosure;
    if (completion.rehearsal)
        companion.rehearsal = true;
    companion.latency = {.total = static_cast<int>(turn.createdAt.msecsTo(db.now())),
                         .model = completion.total_ms,
                         .firstToken = completion.firstToken_ms};
    m_turns.settle(db, turn, completion, answerToKeep(outcome));
    if (turn.session) {
        const QDateTime at = std::max(db.now(), turn.createdAt.addMSecs(1));
        m_turns.insertQuestion(db, turn);
        m_turns.insertReply(db, *turn.session, turn.user, outcome, at);
        m_turns.countIn(db, *turn.session, turn.message, 2, companion.charge.amount, at,
                        turn.disclosure ? std::optional(turn.createdAt) : std::nullopt);
    }
    transaction.commit();
    return outcome;
}

std::optional<Outcome> ChatService::giveUp(db::Session &db, const UserId &user, const MessageId &message) const
{
    db::Transaction transaction(db, user);
    const auto seen = m_turns.find(db, message);
    if (seen && seen->status == TurnStatus::Settled)
        return outcomeFrom(db, *seen);
    auto settled = seen && seen->status == TurnStatus::Running ? voidRecord(db, *seen) : std::nullopt;
    transaction.commit();
    return settled;
}

void ChatService::withdraw(db::Session &db, const Turn &turn, const moderation::Verdict &verdict,
                           const QString &text) const
{
    db::Transaction transaction(db, turn.user);
    if (const auto seen = m_turns.find(db, turn.message); seen && seen->status == TurnStatus::Running)
        (void)voidRecord(db, *seen);
    m_parts.moderation.record(
        db, {.user = turn.user, .session = turn.session, .message = turn.message, .verdict = verdict, .text = text});
    transaction.commit();
}

// The wallet first (voiding the hold), then the turn and its session. A hold that is no longer open is none to void: a
// settlement on another connection may have been under way when the record was read, and then it is the one that
// counts.
std::optional<Outcome> ChatService::voidRecord(db::Session &db, const TurnRecord &record) const
{
    if (record.hold)
        (void)m_parts.ledger.voidHold(db, record.user, *record.hold);
    m_turns.markVoided(db, record.message);
    if (record.session)
        m_turns.release(db, *record.session, record.message);
    const auto now = m_turns.find(db, record.message);
    return now && now->status == TurnStatus::Settled ? std::optional(outcomeFrom(db, *now)) : std::nullopt;
}

Outcome ChatService::outcomeFrom(db::Session &db, const TurnRecord &record) const
{
    Outcome outcome{.message = record.message, .createdAt = record.createdAt};
    readKeptAnswer(record.answer, outcome);
    outcome.content = record.reply;
    if (record.session)
        if (const auto message = m_sessions.message(db, record.message))
            outcome.content = message->content;
    return outcome;
}

Result<Outcome> ChatService::outcomeOf(db::Session &db, const UserId &user, const MessageId &message) const
{
    db::Transaction transaction(db, user);
    const auto record = m_turns.find(db, message);
    if (!record || record->status == TurnStatus::Refused)
        return refuse(ErrorCode::NotFound, u"There is no such reply."_s);
    if (record->status == TurnStatus::Running && record->deadline < db.now()) {
        const auto settled = voidRecord(db, *record);
        transaction.commit();
        return settled ? Result<Outcome>(*settled)
                       : refuse(ErrorCode::Gone, u"The reply failed; it was not charged."_s);
    }
    if (record->status == TurnStatus::Running)
        return std::unexpected(Refusal{.code = ErrorCode::TurnInProgress,
                                       .detail = u"Another instance is producing this reply."_s,
                                       .retryAfter_s = 1});
    if (record->status == TurnStatus::Voided)
        return refuse(ErrorCode::Gone, u"The reply failed or was withdrawn; it was not charged."_s);
    return outcomeFrom(db, *record);
}

Result<bool> ChatService::mayReturn(db::Session &db, const identity::TokenClaims &claims) const
{
    db::Transaction transaction(db, claims.user);
    const auto account = m_parts.account(db, claims);
    transaction.commit();
    return account ? Result<bool>(true) : std::unexpected(account.error());
}

int ChatService::sweepOverdue(db::Session &db, int batch) const
{
    const auto records = m_turns.overdue(db, batch);
    for (const TurnRecord &record : records)
        giveUp(db, record.user, record.message);
    m_turns.dropOldReplies(db);
    return static_cast<int>(records.size());
}

} // namespace companion::chat
