// The bodies that are not described models: the OpenAI door's, and every body's way from bytes to an object.
#include "Fuzz.h"
#include "chat/OpenAiRequestRoutes.h"

using namespace companion;
using companion::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    http::Request request;
    request.method = http::Method::Post;
    request.headers.add("Content-Type", "application/json");
    request.body = fuzz::bytesOf(data, size);
    const auto read = chat::readOpenAiRequest(request, {});
    if (!read)
        must(describe(read.error().code).status < 500, "a bad body is the caller's mistake");
    else
        must(!read->order.text.isEmpty() && read->order.maxTokens >= 1 && read->order.maxTokens <= 4096,
             "what was read is within its limits");
    return 0;
}
