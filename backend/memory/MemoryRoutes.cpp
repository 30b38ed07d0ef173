#include "memory/MemoryRoutes.h"

#include "api/Api.h"

namespace companion::memory {

using namespace Qt::StringLiterals;

namespace {

api::Endpoint endpoint(http::Method method, const QString &path, const QString &summary)
{
    return {.method = method, .path = u"/api/v1/"_s + path, .tag = u"Memory"_s, .summary = summary};
}

void addLists(api::Api &api, const MemoryService &memories)
{
    auto list =
        endpoint(http::Method::Get, u"memories"_s, u"What is remembered: facts, then turns, the newest first"_s);
    list.answers = {api::answer<Page<Memory>>()};
    list.query = {{"kind", "Only facts, or only turns", JsonType<MemoryKind>::schema({})}};
    list.paged = true;
    api.act(list, [&memories](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto kind = page ? call.queryValue<MemoryKind>(u"kind"_s) : std::unexpected(page.error());
        if (!kind)
            return std::unexpected(kind.error());
        return api::ok(memories.list(db, call.user(), *kind, *page));
    });

    auto receipts = endpoint(http::Method::Get, u"memory-receipts"_s, u"What was forgotten, the newest first"_s);
    receipts.answers = {api::answer<Page<MemoryReceipt>>()};
    receipts.paged = true;
    api.act(receipts, [&memories](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        if (!page)
            return std::unexpected(page.error());
        return api::ok(memories.store().receipts(db, call.user(), *page));
    });

    auto receipt = endpoint(http::Method::Get, u"memory-receipts/{id}"_s, u"Whether something is gone by now"_s);
    receipt.answers = {api::answer<MemoryReceipt>()};
    api.act(receipt, [&memories](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<MemoryReceiptId>();
        const auto found = id ? memories.store().receipt(db, call.user(), *id) : std::nullopt;
        return found ? Result<http::Reply>(api::ok(*found))
                     : refuse(ErrorCode::NotFound, u"There is no such receipt."_s);
    });
}

void addOne(api::Api &api, const MemoryService &memories, const std::function<void()> &changed)
{
    auto get = endpoint(http::Method::Get, u"memories/{id}"_s, u"One memory"_s);
    get.answers = {api::answer<Memory>()};
    api.act(get, [&memories](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<MemoryId>();
        const auto memory = id ? memories.find(db, call.user(), *id) : std::unexpected(id.error());
        return memory ? Result<http::Reply>(api::ok(*memory)) : std::unexpected(memory.error());
    });

    auto correct =
        endpoint(http::Method::Patch, u"memories/{id}"_s, u"Correct a turn's text, or a fact's subject and value"_s);
    correct.body = schemaOf<MemoryPatch>();
    correct.answers = {api::answer<Memory>()};
    api.act(correct, [&memories, changed](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto patch = call.body<MemoryPatch>();
        if (!patch)
            return std::unexpected(patch.error());
        const auto id = call.id<MemoryId>();
        const auto memory = id ? memories.correct(db, call.user(), *id, *patch) : std::unexpected(id.error());
        if (!memory)
            return std::unexpected(memory.error());
        changed();
        return api::ok(*memory);
    });

    auto forget = endpoint(http::Method::Delete, u"memories/{id}"_s,
                           u"Forget one memory; a turn's facts go with it, its message stays"_s);
    forget.answers = {api::answer<MemoryReceipt>()};
    api.act(forget, [&memories, changed](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<MemoryId>();
        const auto receipt = id ? memories.forget(db, call.user(), *id) : std::unexpected(id.error());
        if (!receipt)
            return std::unexpected(receipt.error());
        changed();
        return api::ok(*receipt);
    });

    auto forgetAll = endpoint(http::Method::Delete, u"memories"_s, u"Forget everything; the messages stay"_s);
    forgetAll.answers = {api::answer<MemoryReceipt>()};
    api.act(forgetAll, [&memories, changed](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto receipt = memories.eraseFor(db, call.user());
        changed();
        return api::ok(receipt);
    });
}

} // namespace

void addMemoryRoutes(api::Api &api, const MemoryService &memories, std::function<void()> changed)
{
    addLists(api, memories);
    addOne(api, memories, changed);
}

} // namespace companion::memory
