#pragma once

#include "api/Endpoint.h"

namespace companion::chat {

// What chat routes answer, for the API document; CompletionJson.h writes it.
api::Answer wholeCompletion();
// `problemSchema`: of the object that a late failure sends, "Problem" or "OpenAiError".
api::Answer completionStream(const char *problemSchema = "Problem");

} // namespace companion::chat
