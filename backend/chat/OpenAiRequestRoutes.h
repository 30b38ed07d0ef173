#pragma once

#include "chat/Turn.h"
#include "http/Message.h"

namespace companion::chat {

struct OpenAiRequest
{
    QString model; // as the caller spelled it: echoed
    TurnOrder order;
    bool stream = false;
    bool includeUsage = false;
};

// Reads an OpenAI chat completion request. Unknown fields are ignored; what would change the answer's meaning and is
// not offered (n > 1, tools, images) is 400.
QJsonObject openAiRequestSchema();
Result<OpenAiRequest> readOpenAiRequest(const http::Request &request, const identity::TokenClaims &claims);

} // namespace companion::chat
