#include "llm/rehearsal/RehearsalTokens.h"

namespace companion::llm {

namespace {

enum class Kind { Blank, Letter, Digit, Other };

// Letters that join into words; Han, kana and Thai have no blanks, so there each character is a token.
Kind kindOf(QChar c)
{
    if (c == u' ')
        return Kind::Blank;
    if (c.isDigit())
        return Kind::Digit;
    return c.isLetter() && c.unicode() < 0x0e00 ? Kind::Letter : Kind::Other;
}

qsizetype runLength(QStringView text, qsizetype from, Kind kind, qsizetype most)
{
    qsizetype n = 0;
    while (n < most && from + n < text.size() && kindOf(text[from + n]) == kind)
        ++n;
    return n;
}

qsizetype tokenLength(QStringView text, qsizetype from)
{
    const qsizetype blank = text[from] == u' ' && from + 1 < text.size() && kindOf(text[from + 1]) == Kind::Letter;
    if (const qsizetype word = runLength(text, from + blank, Kind::Letter, 12))
        return blank + word;
    if (const qsizetype digits = runLength(text, from, Kind::Digit, 3))
        return digits;
    const bool pair = text[from].isHighSurrogate() && from + 1 < text.size() && text[from + 1].isLowSurrogate();
    return pair ? 2 : 1;
}

} // namespace

QStringList rehearsalTokens(const QString &text)
{
    QStringList tokens;
    for (qsizetype at = 0; at < text.size();) {
        const qsizetype length = tokenLength(text, at);
        tokens.append(text.mid(at, length));
        at += length;
    }
    return tokens;
}

int rehearsalPromptTokens(const QList<ChatMessage> &messages)
{
    int sum = 3;
    for (const ChatMessage &message : messages)
        sum += 3 + int(rehearsalTokens(message.content).size());
    return sum;
}

QStringList exactlyTokens(QStringList tokens, int count)
{
    static const QStringList filler = rehearsalTokens(QStringLiteral(
        " And so the rehearsal goes on for as long as it was asked to, one word after another, quite calm about it."));
    for (qsizetype i = 0; tokens.size() < count; ++i)
        tokens.append(filler[i % filler.size()]);
    return tokens.mid(0, count);
}

} // namespace companion::llm
