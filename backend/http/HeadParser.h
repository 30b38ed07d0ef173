#pragma once

#include "http/Message.h"

#include <optional>

namespace companion::http {

// What the first lines of a request said, after every check.
struct Head
{
    Method method = Method::Get;
    QByteArray target; // origin form: absolute form has lost its scheme and authority; "*" for OPTIONS
    int minorVersion = 1;
    Headers headers;
    std::optional<qint64> contentLength;
    bool chunked = false;
    bool keepAlive = true;
    bool expectsContinue = false;

    bool hasBody() const { return chunked || contentLength.value_or(0) > 0; }
};

// Strict reading of a request head (RFC 9112), line by line as the bytes arrive: pure, no socket. What two programs
// could read differently is refused rather than repaired: bare LF or CR, folded lines, blanks around names, underscores
// that CGI would turn into the dashes of a framing field, repeated or listed Content-Length, Content-Length beside
// Transfer-Encoding, any coding but chunked, anything but one sane Host.
class HeadParser
{
public:
    enum class State { Reading, Complete, Refused };
    static constexpr int maxFields = 100;

    explicit HeadParser(qsizetype maxBytes)
        : m_maxBytes(maxBytes)
    {
    }
    // `buffer` is all that has arrived of this request so far: each call brings the same bytes and more behind them.
    State feed(const QByteArray &buffer);

    const Head &head() const { return m_head; } // when complete
    qsizetype size() const { return m_lineStart; } // bytes the head took, with its empty line; when complete
    const Refusal &refusal() const { return m_refusal; } // when refused
    bool hasBegun() const { return m_begun; } // a byte other than leading empty lines was seen

private:
    State readLine(QByteArrayView line);
    bool readRequestLine(QByteArrayView line);
    bool readTarget(QByteArrayView target);
    bool readVersion(QByteArrayView version);
    bool readField(QByteArrayView line);
    bool finish();
    bool checkHost();
    bool checkFraming();
    bool checkTransferEncoding();
    bool checkContentLength();
    bool checkExpect();
    void readConnection();
    bool refuse(ErrorCode code, const char *detail);
    bool malformed(const char *detail) { return refuse(ErrorCode::MalformedRequest, detail); }

    qsizetype m_maxBytes;
    qsizetype m_lineStart = 0;
    qsizetype m_searched = 0;
    int m_emptyLines = 0;
    bool m_begun = false;
    bool m_requestLineRead = false;
    QByteArray m_authority; // of an absolute-form target
    State m_state = State::Reading;
    Head m_head;
    Refusal m_refusal;
};

// Shared with ChunkedFraming, which reads trailers by the same rules. nullopt: not a sound field line.
std::optional<std::pair<QByteArray, QByteArray>> parseFieldLine(QByteArrayView line);
bool isToken(QByteArrayView text);

} // namespace companion::http
