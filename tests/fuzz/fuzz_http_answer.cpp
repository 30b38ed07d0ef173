// What a language model's server answers in HTTP/1.1, of which not a byte is to be trusted. The same answer wherever
// the bytes are cut; a body of what came and no more; what is at its end stays so; memory is bounded by what came.
#include "Fuzz.h"
#include "llm/wire/HttpAnswer.h"

#include <algorithm>

using namespace companion::llm;
using companion::fuzz::must;

namespace {

struct Heard
{
    HttpAnswer answer;
    QByteArray body;
    bool keepsConnection = false; // before the connection's end
};

Heard hear(const QByteArray &bytes, qsizetype step)
{
    Heard heard;
    for (qsizetype at = 0; at < bytes.size(); at += step) {
        const auto before = heard.answer.state();
        const bool hadHead = heard.answer.hasHead();
        heard.body += heard.answer.feed(QByteArrayView(bytes).sliced(at, std::min(step, bytes.size() - at)));
        must(!hadHead || heard.answer.hasHead(), "a head that has come stays");
        must(before != HttpAnswer::State::Complete || heard.answer.state() == before, "a complete answer stays so");
        must(before != HttpAnswer::State::Broken || heard.answer.state() == before, "a broken answer stays so");
    }
    heard.keepsConnection = heard.answer.keepsConnection();
    heard.answer.connectionEnded();
    return heard;
}

void same(const Heard &one, const Heard &other)
{
    must(one.answer.state() == other.answer.state(), "the same state wherever the bytes are cut");
    must(one.answer.status() == other.answer.status(), "the same status");
    must(one.answer.header("content-type") == other.answer.header("content-type"), "the same headers");
    must(one.keepsConnection == other.keepsConnection, "the same word on the connection");
    must(one.body == other.body, "the same body");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const auto bytes = companion::fuzz::bytesOf(data, size);
    const auto heard = hear(bytes, std::max<qsizetype>(1, bytes.size()));
    same(heard, hear(bytes, 1));
    same(heard, hear(bytes, 7));
    must(heard.answer.isUntouched() == bytes.isEmpty(), "one byte touches it");
    must(heard.body.size() <= bytes.size(), "a body of what came");
    must(heard.body.isEmpty() || heard.answer.status() != 0, "no body without a status");
    const auto state = heard.answer.state();
    must(state == HttpAnswer::State::Complete || state == HttpAnswer::State::Broken, "a lost connection ends it");
    must(!heard.answer.keepsConnection(), "a lost connection is not kept");
    must(heard.answer.status() == 0 || (heard.answer.status() >= 100 && heard.answer.status() <= 999), "a status");
    return 0;
}
