#include "characters/AvatarImage.h"

#include <QtEndian>

namespace companion::characters {

namespace {

int big16(const QByteArray &bytes, qsizetype at)
{
    return qFromBigEndian<quint16>(bytes.constData() + at);
}

int little24(const QByteArray &bytes, qsizetype at)
{
    const auto *data = reinterpret_cast<const uchar *>(bytes.constData() + at);
    return data[0] | data[1] << 8 | data[2] << 16;
}

bool holds(const QByteArray &bytes, qsizetype at, QByteArrayView expected)
{
    return QByteArrayView(bytes).sliced(std::min(at, bytes.size())).startsWith(expected);
}

std::optional<ImageFacts> readPng(const QByteArray &bytes)
{
    if (!holds(bytes, 0, "\x89PNG\r\n\x1a\n") || !holds(bytes, 12, "IHDR") || bytes.size() < 33)
        return std::nullopt;
    const auto width = qFromBigEndian<quint32>(bytes.constData() + 16);
    const auto height = qFromBigEndian<quint32>(bytes.constData() + 20);
    if (width > 0x7fffffff || height > 0x7fffffff)
        return std::nullopt;
    return ImageFacts{QStringLiteral("image/png"), static_cast<int>(width), static_cast<int>(height)};
}

bool isStartOfFrame(uchar marker)
{
    // C4, C8 and CC lie in the range but are tables and an extension.
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

std::optional<ImageFacts> readJpeg(const QByteArray &bytes)
{
    if (!holds(bytes, 0, "\xff\xd8\xff"))
        return std::nullopt;
    qsizetype at = 2;
    while (at + 9 < bytes.size() && static_cast<uchar>(bytes[at]) == 0xff) {
        const auto marker = static_cast<uchar>(bytes[at + 1]);
        if (isStartOfFrame(marker))
            return ImageFacts{QStringLiteral("image/jpeg"), big16(bytes, at + 7), big16(bytes, at + 5)};
        at += 2 + big16(bytes, at + 2); // a segment's length counts its own two bytes
    }
    return std::nullopt;
}

std::optional<ImageFacts> readWebp(const QByteArray &bytes)
{
    if (!holds(bytes, 0, "RIFF") || !holds(bytes, 8, "WEBP") || bytes.size() < 30)
        return std::nullopt;
    const QString type = QStringLiteral("image/webp");
    if (holds(bytes, 12, "VP8X"))
        return ImageFacts{type, 1 + little24(bytes, 24), 1 + little24(bytes, 27)};
    if (holds(bytes, 12, "VP8L") && holds(bytes, 20, "\x2f")) {
        const auto packed = qFromLittleEndian<quint32>(bytes.constData() + 21);
        return ImageFacts{type, static_cast<int>(1 + (packed & 0x3fff)), static_cast<int>(1 + (packed >> 14 & 0x3fff))};
    }
    if (holds(bytes, 12, "VP8 ") && holds(bytes, 23, "\x9d\x01\x2a"))
        return ImageFacts{type, little24(bytes, 26) & 0x3fff,
                          qFromLittleEndian<quint16>(bytes.constData() + 28) & 0x3fff};
    return std::nullopt;
}

} // namespace

std::optional<ImageFacts> readImageFacts(const QByteArray &bytes)
{
    for (const auto read : {readPng, readJpeg, readWebp})
        if (const auto facts = read(bytes))
            return facts;
    return std::nullopt;
}

} // namespace companion::characters
