#include "chat/ChatService.h"

#include "chat/CompletionJson.h"
#include "chat/Prompt.h"

#include <algorithm>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

constexpr int looks = 4; // at a scene that changes under us

Refusal notFound()
{
    return {ErrorCode::NotFound, u"There is no such session."_s};
}

Refusal inProgress()
{
    return {.code = ErrorCode::TurnInProgress,
            .detail = u"A turn is in progress in this session."_s,
            .retryAfter_s = 1};
}

qint64 promptTokensHeld(qint64 estimate, Factor margin)
{
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
    , m_scenes(m_parts.characters)
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
                      .earlier = {},
                      .session = {},
                      .persona = *persona,
                      .mode = wanted.mode,
                      .before = {},
                      .userBefore = {}};
    if (const auto allowed = checkMode(scene); !allowed)
        return std::unexpected(allowed.error());
    if (wanted.mode == Mode::Spicy)
        if (const auto allowed = m_parts.entitlements.checkSpicy(db, account.id(), {}); !allowed)
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

// The wallet first, as whoever begins or settles a turn: what belongs to the session is then written by nobody else.
Result<std::optional<MemoryReceipt>> ChatService::removeSession(db::Session &db, const UserId &user,
                                                                const SessionId &session) const
{
    m_sessions.lockWallet(db, user);
    const auto locked = m_sessions.lock(db, session);
    if (!locked)
        return std::unexpected(notFound());
    if (locked->runningTurn && *locked->runningUntil >= db.now())
        return std::unexpected(inProgress());
    if (locked->runningTurn)
        if (const auto overdue = m_turns.find(db, *locked->runningTurn))
            (void)voidRecord(db, *overdue);
    m_sessions.remove(db, session);
    return m_parts.memory ? std::optional(m_parts.memory->forgetSession(db, user, session)) : std::nullopt;
}

Result<std::optional<MemoryReceipt>> ChatService::removeMessage(db::Session &db, const UserId &user,
                                                                const MessageId &message) const
{
    if (!m_sessions.removeMessage(db, message))
        return refuse(ErrorCode::NotFound, u"There is no such message."_s);
    return m_parts.memory ? std::optional(m_parts.memory->forgetMessage(db, user, message)) : std::nullopt;
}

Result<Quote> ChatService::quote(db::Session &db, const TurnOrder &order) const
{
    const auto scene = m_scenes.load(db, order, m_terms.windowMessages);
    if (!scene)
        return std::unexpected(scene.error());
    if (const auto allowed = checkMode(*scene); !allowed)
        return std::unexpected(allowed.error());
    memory::Recollection recollection;
    if (remembers(*scene)) {
        recollection = recall(db, order, *scene);
        if (m_parts.memory->spaceToGather(db, order.user()))
            recollection.stillToCome_tokens = m_parts.memory->terms().tokens;
    }
    const auto turn = prepare(order, *scene, db.now(), recollection);
    if (turn)
        if (const auto funded = checkFunds(db, *scene, turn->held); !funded)
            return std::unexpected(funded.error());

    const auto prompt = buildPrompt({.persona = scene->persona.persona,
                                     .mode = scene->mode,
                                     .userName = scene->account.user.displayName,
                                     .before = scene->before,
                                     .message = order.text,
                                     .memories = recollection.block});
    const qint64 promptTokens =
        promptTokensHeld(llm::estimateTokens(prompt) + recollection.stillToCome_tokens, m_terms.holdMargin);
    const billing::PriceTerms price{m_terms.ratePer1k, m_terms.minimumCharge, scene->persona.persona.priceMultiplier,
                                    scene->tier.discount};
    const qint64 affordable = billing::tokensFor(scene->balance.available, price) - promptTokens;
    Quote quote;
    quote.maxCost = billing::priceOf(promptTokens + order.maxTokens, price);
    quote.affordableMaxTokens = static_cast<int>(std::clamp<qint64>(affordable, 0, 4096));
    quote.wouldClamp = !turn || turn->clampedMaxTokens.has_value();
    return quote;
}

// The story of a turn's beginning: look at the scene, decide, hold. Nothing is locked between the look and the hold;
// where the scene has changed meanwhile the hold is refused as moved, and everything is looked at again.
Result<Admission> ChatService::begin(db::Session &db, const TurnOrder &order) const
{
    for (int look = 1; look <= looks; ++look) {
        const auto scene = m_scenes.load(db, order, m_terms.windowMessages);
        if (!scene)
            return std::unexpected(scene.error());
        if (auto admission = admit(db, order, *scene, look == looks))
            return std::move(*admission);
    }
    return std::unexpected(inProgress());
}

// nullopt: the scene has changed, look again.
std::optional<Result<Admission>> ChatService::admit(db::Session &db, const TurnOrder &order, const Scene &scene,
                                                    bool last) const
{
    if (scene.earlier)
        return recall(db, order);
    if (const auto allowed = checkMode(scene); !allowed)
        return std::unexpected(allowed.error());
    if (scene.session && scene.session->runningTurn)
        return waitForRunning(db, order, *scene.session);
    const auto verdict = screenMessage(order, scene);
    if (verdict.isCrisis())
        return answerCrisis(db, order, scene, verdict);
    if (verdict.isBlocked())
        return block(db, order, scene, verdict);
    auto admission = hold(db, order, scene, last);
    if (verdict.isFlagged() && admission && *admission)
        flag(db, order, verdict);
    return admission;
}

// What the first request with this key came to; nullopt where it was given up or is too old: the key is free.
std::optional<Result<Admission>> ChatService::recall(db::Session &db, const TurnOrder &order) const
{
    db::Transaction transaction(db, order.user());
    const auto earlier = m_turns.byKey(db, order);
    transaction.commit(); // an old key was freed
    if (!earlier)
        return std::nullopt;
    if (earlier->fingerprint != order.fingerprint)
        return refuse(ErrorCode::IdempotencyKeyReused, u"This Idempotency-Key was used for another request."_s);
    switch (earlier->status) {
    case TurnStatus::Settled: {
        auto outcome = outcomeOf(db, order.user(), earlier->message);
        if (!outcome)
            return std::unexpected(outcome.error());
        outcome->replayed = true;
        return Admission(std::move(*outcome));
    }
    case TurnStatus::Refused:
        return Admission(KeptRefusal{readKeptRefusal(earlier->answer)});
    case TurnStatus::Running:
        if (earlier->deadline < db.now()) {
            auto settled = giveUp(db, order.user(), earlier->message);
            if (!settled)
                return std::nullopt;
            settled->replayed = true;
            return Admission(std::move(*settled));
        }
        return std::unexpected(Refusal{.code = ErrorCode::IdempotencyInProgress,
                                       .detail = u"The first request with this key is still running."_s,
                                       .retryAfter_s = 1});
    case TurnStatus::Voided:
        break;
    }
    return std::nullopt;
}

// One turn at a time in a session; one whose instance died is given up once its deadline has passed. Perhaps it is the
// same request that was quicker: then that is what is told.
std::optional<Result<Admission>> ChatService::waitForRunning(db::Session &db, const TurnOrder &order,
                                                             const LockedSession &session) const
{
    if (*session.runningUntil < db.now()) {
        giveUp(db, order.user(), *session.runningTurn);
        return std::nullopt;
    }
    if (!order.idempotencyKey.isEmpty())
        if (auto earlier = recall(db, order))
            return earlier;
    return std::unexpected(inProgress());
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

// The gate's terms that are about money and place: a debt, the region, the rails that the tier and these credits came
// by. A spicy turn is looked at once more for them; a normal one is not.
Result<void> ChatService::checkFunds(db::Session &db, const Scene &scene, Credits held) const
{
    if (scene.mode == Mode::Normal)
        return {};
    db::Transaction transaction(db, scene.account.id());
    auto allowed = m_parts.entitlements.checkSpicy(db, scene.account.id(), held);
    transaction.commit();
    return allowed;
}

moderation::Verdict ChatService::screenMessage(const TurnOrder &order, const Scene &scene) const
{
    // The stateless door's whole conversation is the caller's own: everything in it is screened.
    for (const llm::ChatMessage &message : order.context) {
        const auto verdict = m_parts.screen->screen({message.content, moderation::Direction::Input, scene.mode, {}});
        if (verdict.isBlocked())
            return verdict;
    }
    auto verdict = m_parts.screen->screen({order.text, moderation::Direction::Input, scene.mode, scene.userBefore});
    if (!verdict.isStopped() && order.remote && order.remote->isStopped()) {
        verdict = *order.remote;
        verdict.mode = scene.mode;
    }
    return verdict;
}

// Out of role, with the help lines, free; the user's words stay in the moderation record alone.
std::optional<Result<Admission>> ChatService::answerCrisis(db::Session &db, const TurnOrder &order, const Scene &scene,
                                                           const moderation::Verdict &verdict) const
{
    db::Transaction transaction(db, order.user());
    const auto session = order.session ? m_sessions.lock(db, *order.session) : std::nullopt;
    if (order.session && (!session || session->runningTurn))
        return std::nullopt;
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
    outcome.companion.balance = scene.balance;
    outcome.companion.crisis = answer.crisis;
    if (!m_turns.insertEnded(db, order, outcome.message, TurnStatus::Settled, scene.mode, answer.text,
                             answerToKeep(outcome)))
        return std::nullopt; // the same request was quicker
    record(db, order, outcome.message, verdict, order.text);
    if (session) {
        const QDateTime at = std::max(db.now(), session->lastMessageAt.addMSecs(1));
        m_turns.insertReply(db, *order.session, order.user(), outcome, at);
        m_turns.countIn(db, *order.session, outcome.message, 1, {}, at, std::nullopt);
    }
    transaction.commit();
    return Admission(std::move(outcome));
}

std::unexpected<Refusal> ChatService::block(db::Session &db, const TurnOrder &order, const Scene &scene,
                                            const moderation::Verdict &verdict) const
{
    const Refusal refusal{ErrorCode::ContentBlocked, u"This message breaks the content policy."_s};
    db::Transaction transaction(db, order.user());
    record(db, order, std::nullopt, verdict, order.text);
    keepRefusal(db, order, scene, refusal);
    transaction.commit();
    return std::unexpected(refusal);
}

// What the turn will be: the prompt, the most it may cost, and how long a reply that allows.
Result<Turn> ChatService::prepare(const TurnOrder &order, const Scene &scene, const QDateTime &now,
                                  const memory::Recollection &recollection) const
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
    const PromptParts parts{.persona = scene.persona.persona,
                            .mode = scene.mode,
                            .userName = scene.account.user.displayName,
                            .before = scene.before,
                            .message = order.text,
                            .memories = recollection.block};
    turn.prompt = buildPrompt(parts);
    turn.instructions = instructionsSize(turn.prompt, parts);
    turn.memories = recollection.memories;
    if (recollection.degraded)
        turn.degraded = {u"memory"_s};
    turn.remember = remembers(scene);

    turn.promptEstimate = llm::estimateTokens(turn.prompt) + recollection.stillToCome_tokens;
    const qint64 promptTokens = promptTokensHeld(turn.promptEstimate, m_terms.holdMargin);
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
                                                     .region = scene.account.user.region,
                                                     .ageVerified = scene.account.user.ageVerified,
                                                     .locale = scene.account.user.locale})) {
        turn.disclosure = notice->text;
        turn.disclosureReason = toText(notice->reason);
    }
    return turn;
}

// Long-term memory is the tier's, and of conversations that we keep; withheld from who owes credits.
bool ChatService::remembers(const Scene &scene) const
{
    return m_parts.memory && scene.session && scene.tier.longTermMemory && !m_parts.entitlements.withholds(scene.debt);
}

memory::RecallOrder ChatService::recallOrder(const TurnOrder &order, const Scene &scene) const
{
    return {.user = order.user(),
            .character = scene.persona.character,
            .session = *order.session,
            .mode = scene.mode,
            .text = order.text,
            .userName = scene.account.user.displayName,
            .companionName = scene.persona.persona.name,
            .window = m_terms.windowMessages};
}

memory::Recollection ChatService::recall(db::Session &db, const TurnOrder &order, const Scene &scene) const
{
    return m_parts.memory->recall(db, recallOrder(order, scene), order.gathered);
}

// `last`: the credit that was there at the look and is gone now is refused instead of looked for again.
std::optional<Result<Admission>> ChatService::hold(db::Session &db, const TurnOrder &order, const Scene &scene,
                                                   bool last) const
{
    memory::Recollection recollection;
    if (remembers(scene)) {
        if (!order.gathered)
            if (const auto space = m_parts.memory->spaceToGather(db, order.user()))
                return Admission(ToGather{*space, memory::MemoryService::questionToEmbed(recallOrder(order, scene))});
        recollection = recall(db, order, scene);
    }
    auto turn = prepare(order, scene, db.now(), recollection);
    if (turn)
        if (const auto funded = checkFunds(db, scene, turn->held); !funded)
            return std::unexpected(funded.error());
    if (turn) {
        const auto begun = m_turns.begin(db, *turn, order, scene);
        if (begun.moved)
            return std::nullopt;
        if (begun.hold) {
            turn->hold = *begun.hold;
            return Admission(std::move(*turn));
        }
        if (begun.hold.error().code == ErrorCode::NotFound)
            return std::unexpected(notFound());
        if (begun.hold.error().code == ErrorCode::InsufficientCredits && !last)
            return std::nullopt;
        turn = std::unexpected(begun.hold.error());
    }
    if (turn.error().code == ErrorCode::InsufficientCredits && !order.idempotencyKey.isEmpty()) {
        db::Transaction transaction(db, order.user());
        keepRefusal(db, order, scene, turn.error());
        transaction.commit();
    }
    return std::unexpected(turn.error());
}

void ChatService::keepRefusal(db::Session &db, const TurnOrder &order, const Scene &scene, const Refusal &refusal) const
{
    if (!order.idempotencyKey.isEmpty())
        m_turns.insertEnded(db, order, order.message, TurnStatus::Refused, scene.mode, QString(),
                            refusalToKeep(refusal));
}

// Let through and recorded, for the operators to see.
void ChatService::flag(db::Session &db, const TurnOrder &order, const moderation::Verdict &verdict) const
{
    db::Transaction transaction(db, order.user());
    record(db, order, order.message, verdict, order.text);
    transaction.commit();
}

void ChatService::record(db::Session &db, const TurnOrder &order, const std::optional<MessageId> &message,
                         const moderation::Verdict &verdict, const QString &text) const
{
    m_parts.moderation.record(
        db, {.user = order.user(), .session = order.session, .message = message, .verdict = verdict, .text = text});
}

QJsonObject ChatService::chargeMetadata(const Turn &turn, const llm::Completion &completion, Credits price)
{
    QJsonObject metadata{{u"message_id"_s, turn.message.toString()},
                         {u"tokens"_s, completion.usage.totalTokens},
                         {u"model"_s, completion.model},
                         {u"character"_s, turn.model}};
    if (turn.session)
        metadata.insert(u"session_id"_s, turn.session->toString());
    if (price > turn.held) // our estimate was short: the difference is the operator's
        metadata.insert(u"uncharged"_s, (price - turn.held).toString());
    return metadata;
}

Outcome ChatService::outcomeToBe(const Turn &turn, const llm::Completion &completion, const QDateTime &now)
{
    Outcome outcome{.message = turn.message,
                    .createdAt = turn.createdAt,
                    .model = turn.model,
                    .content = completion.text,
                    .finishReason = completion.finishReason,
                    .usage = completion.usage,
                    .companion = {}};
    CompanionPart &companion = outcome.companion;
    companion.sessionId = turn.session;
    companion.messageId = turn.message;
    companion.mode = turn.mode;
    companion.clampedMaxTokens = turn.clampedMaxTokens;
    companion.disclosure = turn.disclosure;
    companion.memories = turn.memories;
    if (!turn.degraded.isEmpty())
        companion.degraded = turn.degraded;
    if (completion.rehearsal)
        companion.rehearsal = true;
    companion.latency = {.total = static_cast<int>(turn.createdAt.msecsTo(now)),
                         .model = completion.total_ms,
                         .firstToken = completion.firstToken_ms};
    return outcome;
}

Settling ChatService::settlingOf(const Turn &turn, const llm::Completion &completion, const Outcome &outcome)
{
    const Credits price = billing::priceOf(completion.usage.totalTokens, turn.price);
    QJsonObject answer = answerToKeep(outcome);
    if (turn.disclosure) // the database keeps a record of it (note_disclosure)
        answer.insert(u"disclosed"_s, QJsonObject{{u"reason"_s, turn.disclosureReason}});
    return {.turn = turn,
            .completion = completion,
            .answer = answer,
            .charge = std::min(price, turn.held),
            .description = u"Reply from %1"_s.arg(turn.personaName),
            .metadata = chargeMetadata(turn, completion, price)};
}

Result<Outcome> ChatService::settle(db::Session &db, const Turn &turn, const llm::Completion &completion) const
{
    Outcome outcome = outcomeToBe(turn, completion, db.now());
    Settling settling = settlingOf(turn, completion, outcome);
    db::Row row = m_turns.settle(db, settling);
    if (row.text("code") == u"settled"_s) // this very settlement had committed before its answer was lost
        return outcomeOf(db, turn.user, turn.message);
    if (row.text("code") == u"not_found"_s)
        return refuse(ErrorCode::NotFound, u"The session was deleted meanwhile."_s);
    if (row.text("code") != u"ok"_s) { // past its deadline, and given up by somebody: the user keeps the reply, free
        settling.free = true;
        row = m_turns.settle(db, settling);
        if (row.text("code") != u"ok"_s)
            return outcomeOf(db, turn.user, turn.message);
    }
    outcome.companion.charge = ledger::chargeIn(row);
    outcome.companion.balance = ledger::balanceIn(row);
    return outcome;
}

// The turn that would begin, where nothing at all speaks against it and nothing else is to be done.
std::optional<Turn> ChatService::plainTurn(const TurnOrder &order, const Scene &scene, const QDateTime &now) const
{
    if (scene.mode != Mode::Normal || remembers(scene) || !checkMode(scene))
        return std::nullopt;
    const auto verdict = screenMessage(order, scene);
    if (!verdict.isAllowed())
        return std::nullopt;
    auto turn = prepare(order, scene, now);
    return turn ? std::optional(std::move(*turn)) : std::nullopt;
}

std::vector<std::optional<Admission>> ChatService::beginTogether(db::Session &db,
                                                                 const std::vector<TurnOrder> &orders) const
{
    const auto scenes = m_scenes.loadTogether(db, orders, m_terms.windowMessages);
    std::vector<std::optional<Turn>> turns(orders.size());
    std::vector<TurnStore::Beginning> beginnings;
    std::vector<std::size_t> places; // of each beginning among the orders
    for (std::size_t i = 0; i < orders.size(); ++i) {
        if (scenes[i])
            turns[i] = plainTurn(orders[i], *scenes[i], db.now());
        if (turns[i]) {
            beginnings.push_back({*turns[i], orders[i], *scenes[i]});
            places.push_back(i);
        }
    }
    std::vector<std::optional<Admission>> admissions(orders.size());
    if (beginnings.empty())
        return admissions;
    const auto holds = m_turns.beginTogether(db, beginnings);
    for (std::size_t k = 0; k < holds.size(); ++k)
        if (holds[k]) {
            turns[places[k]]->hold = *holds[k];
            admissions[places[k]] = Admission(std::move(*turns[places[k]]));
        }
    return admissions;
}

std::vector<std::optional<Outcome>> ChatService::settleTogether(db::Session &db,
                                                                const std::vector<EndedTurn> &ended) const
{
    std::vector<Outcome> outcomes;
    std::vector<Settling> settlings;
    for (const auto &[turn, completion] : ended) {
        outcomes.push_back(outcomeToBe(turn, completion, db.now()));
        settlings.push_back(settlingOf(turn, completion, outcomes.back()));
    }
    const auto rows = m_turns.settleTogether(db, settlings);
    std::vector<std::optional<Outcome>> settled(ended.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i]) {
            settled[i] = std::move(outcomes[i]);
            settled[i]->companion.charge = ledger::chargeIn(*rows[i]);
            settled[i]->companion.balance = ledger::balanceIn(*rows[i]);
        }
    return settled;
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

int ChatService::makePartitions(db::Session &db) const
{
    return m_turns.makePartitions(db, 3);
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
