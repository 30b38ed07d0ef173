// The bytes of one connection → its requests. Wherever they are cut, the story is the same; nothing beyond the limits
// is ever held, and what is accepted is sound.
#include "Fuzz.h"
#include "http/RequestReader.h"

using namespace companion;
using namespace companion::http;
using companion::fuzz::must;

namespace {

constexpr ReaderLimits limits{.headBytes = 512, .bodyBytes = 256};

struct Story
{
    QByteArrayList requests;
    int refused = 0;
    QString why;
    RequestReader::State end = RequestReader::State::Idle;
    bool operator==(const Story &) const = default;
};

void checkSound(const RequestReader &reader)
{
    const auto &head = reader.head();
    must(reader.body().size() <= limits.bodyBytes, "a body within its limit");
    must(!head.chunked || !head.contentLength, "one framing");
    must(head.chunked || reader.body().size() == head.contentLength.value_or(0), "a body as long as it was announced");
    must(head.target == "*" || head.target.startsWith('/'), "a target in origin form");
    must(head.headers.values("Host").size() <= 1 && (head.minorVersion == 0 || head.headers.contains("Host")),
         "one Host");
    for (const auto &[name, value] : head.headers.all()) {
        must(isToken(name), "a name is a token");
        for (const char c : value)
            must(c != '\r' && c != '\n' && c != '\0', "a value is one line");
    }
    for (const auto &segment : reader.target().segments)
        must(segment != u"." && segment != u".." && !segment.contains(QChar(u'\0')), "no dot segments, no NUL");
}

Story storyOf(const QByteArray &bytes, qsizetype step)
{
    RequestReader reader(limits);
    Story story;
    for (qsizetype at = 0; at < bytes.size(); at += step) {
        reader.feed(bytes.mid(at, step));
        while (reader.state() == RequestReader::State::Complete) {
            checkSound(reader);
            story.requests.append(methodName(reader.head().method) + " " + reader.head().target + " " + reader.body());
            reader.next();
        }
        must(reader.held() <= limits.headBytes + limits.bodyBytes + step + 16 * 1024, "little is held");
    }
    story.end = reader.state();
    if (story.end == RequestReader::State::Refused) {
        story.refused = describe(reader.refusal().code).status;
        story.why = reader.refusal().detail;
        must(story.refused >= 400, "a refusal is an error");
    }
    return story;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const auto bytes = fuzz::bytesOf(data, size);
    const auto whole = storyOf(bytes, std::max<qsizetype>(1, bytes.size()));
    must(storyOf(bytes, 1) == whole, "the same byte by byte");
    must(storyOf(bytes, 1 + (bytes.isEmpty() ? 0 : std::uint8_t(bytes.back()) % 61)) == whole, "the same in pieces");
    return 0;
}
