#pragma once

#include <QByteArray>
#include <QString>
#include <optional>

namespace companion::characters {

struct ImageFacts
{
    QString contentType;
    int width = 0;
    int height = 0;
};

// What the first bytes of a PNG, JPEG or WebP say of it; nullopt for everything else. Reads headers only and no pixel:
// nothing is decoded on the server.
std::optional<ImageFacts> readImageFacts(const QByteArray &bytes);

} // namespace companion::characters
