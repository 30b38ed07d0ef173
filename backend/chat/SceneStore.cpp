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
    Scene scene;
    auto account = identity::AccountStore::read(row, order.claims);
    if (!account)
        return std::unexpected(account.error());
    scene.account = std::move(*account);
    scene.earlier = row.maybeId<MessageId>("earlier_turn");
    if (scene.earlier)
        return scene;
    scene.tier = billing::TierStore::read(row);
    scene.balance = ledger::balanceIn(row);
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
