#include "llm/rehearsal/RehearsalTokens.h"

namespace companion::llm {

namespace {

enum class Kind { Blank, Letter, Dense, Digit, Symbol, Other };

// Han, kana and Thai have no blanks between words: there two characters make a token.
Kind kindOf(QChar c)
{
    if (c.isSpace())
        return Kind::Blank;
    if (c.isDigit())
        return Kind::Digit;
    if (!c.isLetter() && !c.isMark() && c != u'\'')
        return c > u' ' && c < QChar(0x7f) ? Kind::Symbol : Kind::Other;
    return c.unicode() < 0x0900 ? Kind::Letter : Kind::Dense;
}

qsizetype longestOf(Kind kind)
{
    switch (kind) {
    case Kind::Blank:
        return 8;
    case Kind::Letter:
        return 24;
    case Kind::Dense:
    case Kind::Symbol:
        return 2;
    case Kind::Digit:
        return 3;
    case Kind::Other:
        break;
    }
    return 1;
}

qsizetype runLength(QStringView text, qsizetype from)
{
    const Kind kind = kindOf(text[from]);
    qsizetype n = 1;
    while (n < longestOf(kind) && from + n < text.size() && kindOf(text[from + n]) == kind)
        ++n;
    return n;
}

qsizetype tokenLength(QStringView text, qsizetype from)
{
    const bool pair = text[from].isHighSurrogate() && from + 1 < text.size() && text[from + 1].isLowSurrogate();
    if (pair)
        return 2;
    const bool leads = text[from] == u' ' && from + 1 < text.size() && kindOf(text[from + 1]) != Kind::Blank
        && !text[from + 1].isDigit() && !text[from + 1].isSurrogate();
    return leads ? 1 + runLength(text, from + 1) : runLength(text, from);
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
