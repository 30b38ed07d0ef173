#pragma once

#include "llm/LanguageModel.h"

namespace companion::llm {

// The rehearsal model's reply to a conversation: pure, and the same for the same request.
QString rehearsalReply(const Request &request);

} // namespace companion::llm
