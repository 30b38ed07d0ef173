#include "app/DemoRun.h"

#include <QTimer>

namespace companion::app {

using namespace Qt::StringLiterals;

DemoRun::DemoRun(const Databases &databases, Features &features, SimulatedClock &clock)
    : m_features(features)
    , m_clock(clock)
    , m_app(databases.app, clock)
    , m_operators(databases.operators, clock)
    , m_shop(features, m_operators)
{
    // The demo can be made again: it need not reach the disk turn by turn.
    for (db::Session *session : {&m_app, &m_operators}) {
        session->makeReady();
        session->script(u"SET synchronous_commit = off"_s);
    }
}

QList<PublicCharacter> DemoRun::characters()
{
    return m_features.characters.published(m_operators, {}, {.limit = 100}).items;
}

bool DemoRun::hasUsers()
{
    return m_operators.one("app.has_users").boolean("there");
}

void DemoRun::start(const DemoPlan &plan)
{
    m_plan = plan;
    m_characters = characters();
    m_users.resize(plan.users.size());
    m_shop.employ(m_clock.now());
    QTimer::singleShot(0, this, &DemoRun::next);
}

void DemoRun::next()
{
    if (m_at == m_plan.events.size())
        return Q_EMIT ended();
    const DemoEvent event = m_plan.events.at(m_at++);
    if (m_at % 50 == 0)
        Q_EMIT progress(static_cast<int>(100 * m_at / m_plan.events.size()));
    m_clock.set(event.at);
    try {
        std::visit([&](const auto &what) { live(event, what); }, event.what);
    } catch (const std::exception &failure) {
        fail(QString::fromUtf8(failure.what()));
    }
}

void DemoRun::live(const DemoEvent &event, const DemoSignUp &)
{
    const DemoUser &wanted = m_plan.users.at(event.user);
    db::Transaction transaction(m_operators);
    const auto account = m_features.accounts.create(
        m_operators,
        {.displayName = wanted.name, .email = wanted.email, .region = wanted.region, .locale = wanted.locale},
        event.at);
    if (!account)
        return fail(account.error().detail);
    if (wanted.ageVerified)
        (void)m_features.accounts.verifyAge(m_operators, account->id(), u"development"_s, u"demo"_s, event.at);
    transaction.commit();
    m_users[event.user] = account->id();
    QTimer::singleShot(0, this, &DemoRun::next);
}

void DemoRun::later()
{
    QTimer::singleShot(0, this, &DemoRun::next);
}

void DemoRun::live(const DemoEvent &event, const DemoPurchase &purchase)
{
    const UserId user = m_users.at(event.user);
    const auto tier = m_features.tiers.termsOf(m_operators, user);
    (void)m_features.ledger.refresh(m_operators, user, tier->dailyCredits);
    m_shop.buy(user, purchase);
    later();
}

void DemoRun::live(const DemoEvent &event, const DemoSubscription &subscription)
{
    m_shop.subscribe(m_users.at(event.user), subscription.tier);
    later();
}

void DemoRun::live(const DemoEvent &event, const DemoCancellation &)
{
    m_shop.cancel(m_users.at(event.user));
    later();
}

void DemoRun::live(const DemoEvent &, const DemoRefund &refund)
{
    m_shop.refund(refund);
    later();
}

void DemoRun::live(const DemoEvent &, const DemoDispute &dispute)
{
    m_shop.dispute(dispute);
    later();
}

void DemoRun::live(const DemoEvent &, const DemoVerdict &verdict)
{
    m_shop.close(verdict);
    later();
}

void DemoRun::live(const DemoEvent &event, const DemoSpree &)
{
    m_shop.spree(m_users.at(event.user));
    later();
}

void DemoRun::live(const DemoEvent &event, const DemoMidnight &)
{
    m_shop.midnight();
    if (event.at.date() == m_plan.events.last().at.date().addDays(-2)) // tomorrow's comparison finds it
        m_shop.leaveTrouble(m_users.first());
    later();
}

void DemoRun::live(const DemoEvent &event, const DemoChat &chat)
{
    const auto session = sessionFor(event, chat);
    if (!session) // suspended for a dispute
        return later();
    const auto admission = m_features.chat->begin(
        m_app,
        {.claims = claimsOf(event.user), .session = session, .character = {}, .text = chat.text, .route = u"demo"_s});
    const auto *turn = admission ? std::get_if<chat::Turn>(&*admission) : nullptr;
    if (!turn) { // refused, as users sometimes are
        later();
        return;
    }
    auto *generation = m_model.start({.model = {},
                                      .messages = turn->prompt,
                                      .maxTokens = turn->maxTokens,
                                      .endUser = {},
                                      .personaName = turn->personaName});
    connect(generation, &llm::Generation::finished, this,
            [this, turn = *turn](const auto &completion) { settle(turn, completion); });
}

std::optional<SessionId> DemoRun::sessionFor(const DemoEvent &event, const DemoChat &chat)
{
    const QString key =
        u"%1 %2 %3 %4"_s.arg(event.user).arg(chat.character).arg(toText(chat.mode)).arg(event.at.date().dayOfYear());
    if (const auto known = m_sessions.constFind(key); known != m_sessions.constEnd())
        return *known;
    db::Transaction transaction(m_app, m_users.at(event.user));
    const auto account = m_features.accounts.account(m_app, claimsOf(event.user), event.at);
    if (!account)
        return std::nullopt;
    const QString slug = m_characters.at(chat.character).slug;
    auto session = m_features.chat->open(m_app, *account, {.character = slug, .mode = chat.mode});
    if (!session) // no spicy mode here, or not for them
        session = m_features.chat->open(m_app, *account, {.character = slug});
    ensure(session.has_value(), "a demo session opens");
    transaction.commit();
    m_sessions.insert(key, session->id);
    return session->id;
}

void DemoRun::settle(const chat::Turn &turn, const Result<llm::Completion> &completion)
{
    try {
        if (!completion)
            return fail(completion.error().detail);
        m_clock.set(m_clock.now().addMSecs(800 + 12 * completion->usage.completionTokens));
        const auto outcome = m_features.chat->settle(m_app, turn, *completion);
        if (!outcome)
            return fail(outcome.error().detail);
    } catch (const std::exception &failure) {
        return fail(QString::fromUtf8(failure.what()));
    }
    ++m_turns;
    next();
}

void DemoRun::fail(const QString &why)
{
    m_error = why;
    Q_EMIT ended();
}

identity::TokenClaims DemoRun::claimsOf(int user) const
{
    return {.user = m_users.at(user), .device = {}, .roles = {Role::User}, .expiresAt = {}};
}

} // namespace companion::app
