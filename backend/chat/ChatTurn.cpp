#include "chat/ChatTurn.h"

#include "chat/CompletionJson.h"
#include "chat/LiveTurns.h"
#include "moderation/PromptGuard.h"

#include <algorithm>
#include <utility>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

bool mayPass(ErrorCode code)
{
    return code == ErrorCode::NotReady || code == ErrorCode::Overloaded || code == ErrorCode::Internal;
}

} // namespace

ChatTurn::ChatTurn(const Surroundings &surroundings, TurnOrder order, std::shared_ptr<Delivery> delivery)
    : m_(surroundings)
    , m_order(std::move(order))
    , m_deliveries{std::move(delivery)}
    , m_deadline(QDateTime::currentDateTimeUtc().addSecs(surroundings.chat.terms().generationLimit_s
                                                         + surroundings.chat.terms().settleGrace_s))
{
    m_.live.count(+1);
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this,
            [this] { abandon({ErrorCode::ModelTimeout, u"The model took too long; the reply was not charged."_s}); });
}

// What needs the network first, in bounded time.
void ChatTurn::begin()
{
    if (!m_.remote)
        return admit();
    m_.remote->ask(this, m_order.text, [this](moderation::RemoteAnswer answer) { asked(std::move(answer)); });
}

void ChatTurn::asked(moderation::RemoteAnswer answer)
{
    if (m_ended) // given up meanwhile
        return;
    if (answer.mustWait)
        return fail({.code = ErrorCode::NotReady,
                     .detail = u"The moderation service does not answer; try again in a moment."_s,
                     .retryAfter_s = 5});
    m_order.remote = std::move(answer.verdict);
    admit();
}

// With all that begin at this moment; what is not the plain case, alone.
void ChatTurn::admit()
{
    m_.lane.begin(this, m_order, &ChatTurn::looked);
}

void ChatTurn::looked(Result<std::optional<Admission>> admission)
{
    if (!admission)
        return admitted(std::unexpected(admission.error()));
    if (!*admission)
        return beginAlone();
    admitted(std::move(**admission));
}

void ChatTurn::beginAlone()
{
    m_.workers.act(
        this, [chat = &m_.chat, order = m_order](db::Session &db) { return chat->begin(db, order); },
        &ChatTurn::admitted);
}

void ChatTurn::admitted(Result<Admission> admission) // back on the event loop
{
    // Its commit may have happened all the same, unless it never ran.
    if (!admission && mayPass(admission.error().code) && admission.error().code != ErrorCode::Overloaded)
        return giveUp(admission.error());
    if (!admission)
        return fail(admission.error());
    if (const auto *kept = std::get_if<KeptRefusal>(&*admission))
        return fail(kept->refusal, true);
    if (const auto *outcome = std::get_if<Outcome>(&*admission))
        return finish(*outcome);
    if (const auto *wanted = std::get_if<ToGather>(&*admission))
        return gather(*wanted);
    m_turn = std::get<Turn>(*admission);
    m_deadline = m_turn.deadline;
    m_.live.add(m_turn.message, this);
    for (const auto &delivery : m_deliveries)
        delivery->started(m_turn);
    generate();
}

// Bounded in time; what does not come in it is done without.
void ChatTurn::gather(const ToGather &wanted)
{
    ensure(m_.gatherer != nullptr, "what waits for the network has somebody who waits");
    m_.gatherer->gather(m_order.user(), wanted.space, wanted.question, this, [this](const memory::Gathered &gathered) {
        m_order.gathered = gathered;
        beginAlone();
    });
}

void ChatTurn::generate()
{
    const auto guard = std::make_shared<moderation::PromptGuard>(
        m_.chat.screen(), QStringView(m_turn.prompt.first().content).first(m_turn.instructions));
    m_screen = std::make_unique<moderation::OutputScreen>(guard, m_turn.mode, m_turn.userBefore);
    m_limit.start(m_.chat.terms().generationLimit_s * 1000);
    m_generation = m_.model.start({.model = m_turn.mode == Mode::Spicy ? m_.spicyModel : QString(),
                                   .messages = m_turn.prompt,
                                   .maxTokens = m_turn.maxTokens,
                                   .temperature = m_turn.temperature,
                                   .endUser = m_turn.user.toString(),
                                   .personaName = m_turn.personaName,
                                   .promptEstimate = m_turn.promptEstimate,
                                   .priority = m_turn.priority});
    connect(m_generation, &llm::Generation::text, this, &ChatTurn::relay);
    connect(m_generation, &llm::Generation::finished, this, &ChatTurn::generated);
}

void ChatTurn::relay(const QString &delta)
{
    release(m_screen->feed(delta));
}

void ChatTurn::release(const moderation::Release &release)
{
    if (m_ended)
        return;
    if (!release.text.isEmpty()) {
        m_released += release.text.toUtf8();
        for (const auto &delivery : m_deliveries)
            delivery->text(m_turn, release.text, m_released.size());
    }
    if (release.hit)
        withdraw(*release.hit);
}

void ChatTurn::generated(const Result<llm::Completion> &completion) // the client may be long gone; the turn goes on
{
    if (m_ended)
        return;
    m_limit.stop();
    if (!completion)
        return giveUp(completion.error());
    m_completion = *completion;
    release(m_screen->finish());
    if (m_ended)
        return;
    settle();
}

void ChatTurn::settle()
{
    m_settling = true;
    if (m_tries > 0) // whatever went wrong, this turn no longer shares with others
        return settleAlone();
    m_.lane.settle(this, {m_turn, m_completion}, &ChatTurn::settledTogether);
}

void ChatTurn::settledTogether(Result<std::optional<Outcome>> outcome)
{
    if (!outcome)
        return settled(std::unexpected(outcome.error()));
    if (!*outcome)
        return settleAlone();
    settled(std::move(**outcome));
}

void ChatTurn::settleAlone()
{
    m_.workers.act(
        this,
        [chat = &m_.chat, turn = m_turn, completion = m_completion](db::Session &db) {
            return chat->settle(db, turn, completion);
        },
        &ChatTurn::settled);
}

// A database that is away for a moment must not cost the reply: tried again until the hold's deadline.
void ChatTurn::settled(Result<Outcome> outcome)
{
    if (outcome && m_turn.remember && m_.remembered)
        m_.remembered();
    if (outcome)
        return finish(*outcome);
    if (!mayTryAgain(outcome.error().code))
        return giveUp(outcome.error());
    QTimer::singleShot(nextPause_ms(), this, &ChatTurn::settle);
}

bool ChatTurn::mayTryAgain(ErrorCode code) const
{
    return mayPass(code) && !m_.live.graceIsOver() && QDateTime::currentDateTimeUtc() < m_deadline
        && (code != ErrorCode::Internal || m_tries <= 4);
}

int ChatTurn::nextPause_ms()
{
    return std::min(100 << std::min(m_tries++, 6), 5'000);
}

// Nothing is charged for what failed. Should even this act fail for good, the hold's deadline does the same.
void ChatTurn::giveUp(const Refusal &why)
{
    m_ended = true;
    m_limit.stop();
    m_.live.remove(m_order.message);
    m_.workers.act(
        this,
        [chat = &m_.chat, user = m_order.user(), message = m_order.message](db::Session &db) {
            return chat->giveUp(db, user, message);
        },
        [this, why](const Result<std::optional<Outcome>> &settled) { gaveUp(settled, why); });
}

void ChatTurn::gaveUp(const Result<std::optional<Outcome>> &settled, const Refusal &why)
{
    if (settled && *settled)
        return finish(**settled);
    if (settled || !mayTryAgain(settled.error().code))
        return fail(why);
    if (!m_settling) // nothing can have been charged: whoever waits need not wait for the database
        tell(why, false);
    QTimer::singleShot(nextPause_ms(), this, [this, why] { giveUp(why); });
}

void ChatTurn::withdraw(const moderation::Verdict &verdict)
{
    m_ended = true;
    m_limit.stop();
    m_.live.remove(m_turn.message);
    if (m_generation)
        m_generation->stop();
    const QString text = QString::fromUtf8(m_released);
    m_.workers.act(
        this,
        [chat = &m_.chat, turn = m_turn, verdict, text](db::Session &db) {
            chat->withdraw(db, turn, verdict, text);
            return true;
        },
        [this, verdict](const Result<bool> &done) { withdrew(done, verdict); });
}

// Told at once; the record for the operator is not to be lost.
void ChatTurn::withdrew(const Result<bool> &done, const moderation::Verdict &verdict)
{
    const Refusal why{ErrorCode::ContentBlocked,
                      u"The reply broke the content policy and was withdrawn; it was not charged."_s};
    if (done || !mayTryAgain(done.error().code))
        return fail(why);
    tell(why, false);
    QTimer::singleShot(nextPause_ms(), this, [this, verdict] { withdraw(verdict); });
}

void ChatTurn::join(std::shared_ptr<Delivery> delivery, qint64 fromByte)
{
    delivery->started(m_turn);
    const qsizetype from = characterAt(m_released, fromByte);
    if (from < m_released.size())
        delivery->text(m_turn, QString::fromUtf8(m_released.sliced(from)), m_released.size());
    m_deliveries.append(std::move(delivery));
}

void ChatTurn::stop()
{
    if (m_generation && !m_ended)
        m_generation->stop();
}

void ChatTurn::abandon(const Refusal &why)
{
    if (m_ended || m_settling)
        return;
    if (m_generation) {
        m_generation->disconnect(this);
        m_generation->stop();
    }
    giveUp(why);
}

void ChatTurn::finish(const Outcome &outcome)
{
    for (const auto &delivery : m_deliveries)
        delivery->finished(outcome);
    end();
}

void ChatTurn::fail(const Refusal &refusal, bool replayed)
{
    tell(refusal, replayed);
    end();
}

void ChatTurn::tell(const Refusal &refusal, bool replayed)
{
    for (const auto &delivery : std::exchange(m_deliveries, {}))
        delivery->failed(refusal, replayed);
}

void ChatTurn::end()
{
    m_ended = true;
    m_.live.remove(m_order.message);
    m_.live.count(-1);
    m_deliveries.clear();
    deleteLater();
}

} // namespace companion::chat
