#include "http/RequestReader.h"

#include <algorithm>
#include <utility>

namespace companion::http {

RequestReader::State RequestReader::feed(const QByteArray &bytes)
{
    m_in.append(bytes);
    return advance();
}

RequestReader::State RequestReader::next()
{
    if (m_state != State::Complete)
        return m_state;
    m_parser = HeadParser(m_limits.headBytes);
    m_chunks.reset();
    m_target = {};
    m_body = {};
    m_continueWanted = false;
    m_state = State::Idle;
    return advance();
}

bool RequestReader::takeContinue()
{
    return std::exchange(m_continueWanted, false);
}

RequestReader::State RequestReader::refuse(Refusal refusal)
{
    m_refusal = std::move(refusal);
    m_in.clear();
    return m_state = State::Refused;
}

RequestReader::State RequestReader::advance()
{
    if (m_state == State::Idle || m_state == State::Head)
        readHead();
    if (m_state == State::Body)
        readBody();
    return m_state;
}

RequestReader::State RequestReader::readHead()
{
    const auto progress = m_parser.feed(m_in);
    if (progress == HeadParser::State::Refused)
        return refuse(m_parser.refusal());
    if (progress == HeadParser::State::Complete)
        return headComplete();
    return m_state = m_parser.hasBegun() ? State::Head : State::Idle;
}

RequestReader::State RequestReader::headComplete()
{
    m_in.remove(0, m_parser.size());
    const auto &head = m_parser.head();
    if (head.target != "*") {
        auto target = Target::parse(head.target);
        if (!target)
            return refuse(target.error());
        m_target = std::move(*target);
    }
    const auto limit = bodyLimitFor ? std::min(m_limits.bodyBytes, bodyLimitFor(head, m_target)) : m_limits.bodyBytes;
    if (head.contentLength.value_or(0) > limit)
        return refuse({ErrorCode::PayloadTooLarge, QStringLiteral("The body is larger than this server takes.")});
    if (head.chunked)
        m_chunks.emplace(limit);
    m_continueWanted = head.expectsContinue && m_in.isEmpty();
    return m_state = head.hasBody() ? State::Body : State::Complete;
}

RequestReader::State RequestReader::readBody()
{
    return m_chunks ? readChunked() : readCounted();
}

RequestReader::State RequestReader::readCounted()
{
    const qint64 missing = *m_parser.head().contentLength - m_body.size();
    if (m_in.size() <= missing && m_body.isEmpty())
        m_body = std::exchange(m_in, {});
    else {
        const auto taken = std::min<qint64>(missing, m_in.size());
        m_body.append(m_in.constData(), taken);
        m_in.remove(0, taken);
    }
    return m_state = m_body.size() == *m_parser.head().contentLength ? State::Complete : State::Body;
}

RequestReader::State RequestReader::readChunked()
{
    m_in.remove(0, m_chunks->feed(m_in, m_body));
    if (m_chunks->state() == ChunkedFraming::State::Refused)
        return refuse(m_chunks->refusal());
    return m_state = m_chunks->state() == ChunkedFraming::State::Complete ? State::Complete : State::Body;
}

} // namespace companion::http
