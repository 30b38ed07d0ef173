#include "chat/SceneStore.h"

#include "identity/AccountStore.h"
#include "ledger/Ledger.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

LockedSession sessionIn(const db::Row &row)
{
    return {.id = row.id<SessionId>("session_id"),
            .character = row.id<CharacterId>("character_id"),
            .personaVersion = static_cast<int>(row.integer("persona_version")),
            .mode = row.value<Mode>("mode"),
            .lastMessageAt = row.time("last_message_at"),
            .lastDisclosureAt = row.maybeTime("last_disclosure_at"),
            .runningTurn = row.maybeId<MessageId>("running_turn"),
            .runningUntil = row.maybeTime("running_until")};
}

// [[role, content], …], the newest first.
void readWindow(const QString &json, Scene &scene)
{
    using Role = llm::ChatMessage::Role;
    const QJsonArray window = QJsonDocument::fromJson(json.toUtf8()).array();
    for (qsizetype i = window.size() - 1; i >= 0; --i) {
        const bool byUser = window[i][0] == u"user"_s;
        scene.before.append({byUser ? Role::User : Role::Assistant, window[i][1].toString()});
        if (byUser)
            scene.userBefore.append(scene.before.last().content);
    }
}

std::optional<DeviceId> deviceOf(const identity::TokenClaims &claims)
{
    return claims.device.isNull() ? std::nullopt : std::optional(claims.device);
}

} // namespace

SceneStore::SceneStore(const characters::CharacterService &characters)
    : m_characters(characters)
    , m_personas(characters)
{
}

Result<Scene> SceneStore::load(db::Session &db, const TurnOrder &order, int windowMessages) const
{
    const auto row =
        db.one("chat.scene",
               {{"user_id", order.user()},
                {"device_id", deviceOf(order.claims)},
                {"session_id", order.session},
                {"route", order.route},
                {"key", order.idempotencyKey.isEmpty() ? std::nullopt : std::optional(order.idempotencyKey)},
                {"window", windowMessages},
                {"now", db.now()}});
    if (const auto earlier = row.maybeId<MessageId>("earlier_turn")) {
        Scene scene;
        auto account = identity::AccountStore::read(row, order.claims);
        if (!account)
            return std::unexpected(account.error());
        scene.account = std::move(*account);
        scene.earlier = earlier;
        return scene;
    }
    return read(db, row, order);
}

std::vector<std::optional<Scene>> SceneStore::loadTogether(db::Session &db, const std::vector<TurnOrder> &orders,
                                                           int windowMessages) const
{
    QJsonArray asked;
    for (const TurnOrder &order : orders) {
        QJsonObject one{{u"n"_s, asked.size()}, {u"user_id"_s, order.user().toString()}, {u"route"_s, order.route}};
        if (const auto device = deviceOf(order.claims))
            one.insert(u"device_id"_s, device->toString());
        if (order.session)
            one.insert(u"session_id"_s, order.session->toString());
        if (!order.idempotencyKey.isEmpty())
            one.insert(u"idempotency_key"_s, order.idempotencyKey);
        asked.append(one);
    }
    std::vector<std::optional<Scene>> scenes(orders.size());
    for (const db::Row &row :
         db.rows("chat.scenes", {{"orders", asked}, {"window", windowMessages}, {"now", db.now()}})) {
        const auto n = static_cast<std::size_t>(row.integer("n"));
        if (auto scene = read(db, row, orders[n]))
            scenes[n] = std::move(*scene);
    }
    return scenes;
}

Result<Scene> SceneStore::read(db::Session &db, const db::Row &row, const TurnOrder &order) const
{
    Scene scene;
    auto account = identity::AccountStore::read(row, order.claims);
    if (!account)
        return std::unexpected(account.error());
    scene.account = std::move(*account);
    scene.tier = billing::TierStore::read(row);
    scene.balance = ledger::balanceIn(row);
    scene.debt = row.credits("debt");
    const auto entered = order.session ? enterSession(db, row, order, scene) : enterStateless(db, order, scene);
    return entered ? Result<Scene>(std::move(scene)) : std::unexpected(entered.error());
}

Result<void> SceneStore::enterSession(db::Session &db, const db::Row &row, const TurnOrder &order, Scene &scene) const
{
    if (row.isNull("session_id"))
        return refuse(ErrorCode::NotFound, u"There is no such session."_s);
    scene.session = sessionIn(row);
    auto persona = m_personas.of(db, scene.session->character, scene.session->personaVersion);
    if (!persona)
        return std::unexpected(persona.error());
    scene.persona = std::move(*persona);
    scene.mode = order.mode.value_or(scene.session->mode);
    readWindow(row.text("messages"), scene);
    return {};
}

Result<void> SceneStore::enterStateless(db::Session &db, const TurnOrder &order, Scene &scene) const
{
    auto persona = m_characters.current(db, order.character);
    if (!persona)
        return refuse(ErrorCode::ModelNotFound, u"There is no such model."_s);
    scene.persona = std::move(*persona);
    scene.mode = order.mode.value_or(Mode::Normal);
    scene.before = order.context;
    for (const llm::ChatMessage &message : order.context)
        if (message.role == llm::ChatMessage::Role::User)
            scene.userBefore.append(message.content);
    return {};
}

} // namespace companion::chat
