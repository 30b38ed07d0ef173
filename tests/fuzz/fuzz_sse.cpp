// What a language model's server sends: events from bytes in any pieces, then each event's JSON. The same events
// wherever the bytes are cut, and never more held than the limit.
#include "Fuzz.h"
#include "llm/wire/ChatChunk.h"
#include "llm/wire/SseDecoder.h"

using namespace companion::llm;
using companion::fuzz::must;

namespace {

constexpr qsizetype limit = 512;

QList<SseEvent> eventsOf(const QByteArray &bytes, qsizetype step, bool &overflowed)
{
    SseDecoder decoder(limit);
    QList<SseEvent> events;
    for (qsizetype at = 0; at < bytes.size(); at += step)
        events += decoder.feed(QByteArrayView(bytes).sliced(at, std::min(step, bytes.size() - at)));
    events += decoder.end();
    overflowed = decoder.overflowed();
    return events;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const auto bytes = companion::fuzz::bytesOf(data, size);
    bool overflowed = false, alsoOverflowed = false;
    const auto events = eventsOf(bytes, std::max<qsizetype>(1, bytes.size()), overflowed);
    must(eventsOf(bytes, 1, alsoOverflowed) == events && overflowed == alsoOverflowed, "the same byte by byte");
    must(eventsOf(bytes, 7, alsoOverflowed) == events && overflowed == alsoOverflowed, "the same in sevens");
    WholeCharacters characters;
    QString text;
    for (const auto &event : events) {
        must(event.data.size() <= limit, "an event within its limit");
        (void)readError(event.data);
        const auto chunk = readChunk(event.data);
        if (!chunk)
            continue;
        text += characters.feed(chunk->text);
        const auto usage = soundUsage(chunk->usage, 10, 5, 100);
        must(usage.usage.promptTokens >= 0 && usage.usage.completionTokens >= 0 && usage.usage.totalTokens >= 0,
             "no negative usage is believed");
        (void)finishReasonOf(chunk->finishReason);
    }
    text += characters.end();
    must(!text.contains(QChar(u'\0')) && text.isValidUtf16(), "text is whole characters without NUL");
    return 0;
}
