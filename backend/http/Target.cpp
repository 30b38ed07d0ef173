#include "http/Target.h"

#include <QStringDecoder>
#include <algorithm>

namespace companion::http {

namespace {

bool isHex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool hasSoundEscapes(const QByteArray &text)
{
    for (qsizetype i = text.indexOf('%'); i >= 0; i = text.indexOf('%', i + 1))
        if (i + 2 >= text.size() || !isHex(text.at(i + 1)) || !isHex(text.at(i + 2)))
            return false;
    return true;
}

bool hasControls(const QString &text)
{
    return std::ranges::any_of(text, [](QChar c) { return c < u' ' || c == QChar(0x7f); });
}

// nullopt where the text is not sound UTF-8 without control characters once decoded.
std::optional<QString> decoded(const QByteArray &text)
{
    if (!hasSoundEscapes(text))
        return std::nullopt;
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    const QString plain = decoder(QByteArray::fromPercentEncoding(text));
    if (decoder.hasError() || hasControls(plain))
        return std::nullopt;
    return plain;
}

std::unexpected<Refusal> malformed(const QString &detail)
{
    return refuse(ErrorCode::MalformedRequest, detail);
}

} // namespace

Result<Target> Target::parse(const QByteArray &target)
{
    Target result;
    const auto question = target.indexOf('?');
    const auto path = question < 0 ? target : target.first(question);
    for (const auto &segment : path.sliced(1).split('/')) {
        const auto plain = decoded(segment);
        if (!plain)
            return malformed(QStringLiteral("The path is not sound percent-encoded UTF-8."));
        if (*plain == u"." || *plain == u"..")
            return malformed(QStringLiteral("The path has a dot segment."));
        result.segments.append(*plain);
    }
    if (question < 0)
        return result;
    auto query = target.sliced(question + 1);
    if (!decoded(query))
        return malformed(QStringLiteral("The query is not sound percent-encoded UTF-8."));
    result.query = QUrlQuery(QString::fromLatin1(query.replace('+', "%20")));
    return result;
}

} // namespace companion::http
