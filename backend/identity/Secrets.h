#pragma once

#include <QByteArray>
#include <QString>

namespace companion::identity {

// What is handed out once and kept only as its hash. 256 random bits need no salt and no slow hash: there is nothing to
// guess, and the hash is looked up on each use.
struct Secret
{
    QString text; // "ak-companion-" and 43 characters of base64url
    QByteArray hash; // SHA-256 of the text's UTF-8
    QString prefix; // the text's beginning, to recognise it by: shown in lists
};

inline constexpr const char *accessKeyPrefix = "ak-companion-";
inline constexpr const char *apiKeyPrefix = "sk-companion-";
inline constexpr const char *refreshTokenPrefix = "rt-companion-";

Secret newSecret(const char *prefix);
QByteArray secretHash(const QString &text);

} // namespace companion::identity
