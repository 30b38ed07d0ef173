#pragma once

#include "chat/ChatTurn.h"

namespace companion::api {
class Api;
}

namespace companion::chat {

void addSessionRoutes(api::Api &api, const ChatService &chat, const moderation::ModerationStore &moderation);
// Quote, completions, stream, resume, stop.
void addTurnRoutes(api::Api &api, const ChatTurn::Surroundings &surroundings);
// /v1: the door of the OpenAI SDKs.
void addOpenAiRoutes(api::Api &api, const ChatTurn::Surroundings &surroundings,
                     const characters::CharacterService &characters);

} // namespace companion::chat
