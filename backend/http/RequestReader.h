#pragma once

#include "http/ChunkedFraming.h"
#include "http/HeadParser.h"
#include "http/Target.h"

#include <functional>
#include <optional>
#include <utility>

namespace companion::http {

struct ReaderLimits
{
    qsizetype headBytes = 16 * 1024;
    qint64 bodyBytes = 1024 * 1024;
};

// Turns the bytes of one connection into its requests, one after the other: head, then body without its framing. Pure.
// A refusal is final: where one request's end is not certain, the next one's begin is not either.
class RequestReader
{
public:
    enum class State { Idle, Head, Body, Complete, Refused };

    explicit RequestReader(ReaderLimits limits)
        : m_limits(limits)
        , m_parser(limits.headBytes)
    {
    }

    // The body limit of the route this head asks for; the smaller of it and the connection's own holds.
    std::function<qint64(const Head &, const Target &)> bodyLimitFor;

    State feed(const QByteArray &bytes); // bytes behind a complete request wait for next()
    State next();                        // forgets the complete request, goes on with what has arrived meanwhile
    State state() const { return m_state; }
    qsizetype waiting() const { return m_in.size(); } // bytes not yet used
    qsizetype held() const { return m_in.size() + m_body.size(); }
    bool hasBegun() const { return m_parser.hasBegun(); }

    const Head &head() const { return m_parser.head(); } // from State::Body on
    const Target &target() const { return m_target; }    // empty for "*"
    const QByteArray &body() const { return m_body; }
    QByteArray takeBody() { return std::exchange(m_body, {}); }
    const Refusal &refusal() const { return m_refusal; }
    // True once: the client waits for "100 Continue" and nothing of its body is here yet.
    bool takeContinue();

private:
    State advance();
    State readHead();
    State headComplete();
    State readBody();
    State readCounted();
    State readChunked();
    State refuse(Refusal refusal);

    ReaderLimits m_limits;
    HeadParser m_parser;
    std::optional<ChunkedFraming> m_chunks;
    Target m_target;
    QByteArray m_in;
    QByteArray m_body;
    bool m_continueWanted = false;
    State m_state = State::Idle;
    Refusal m_refusal;
};

} // namespace companion::http
