#include "identity/Secrets.h"

#include <QCryptographicHash>
#include <QRandomGenerator>
#include <array>

namespace companion::identity {

Secret newSecret(const char *prefix)
{
    std::array<quint32, 8> random{};
    QRandomGenerator::system()->fillRange(random.data(), static_cast<qsizetype>(random.size()));
    const QByteArray bytes(reinterpret_cast<const char *>(random.data()), sizeof random);
    const QString kind = QString::fromLatin1(prefix);
    const QString text =
        kind + QString::fromLatin1(bytes.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals));
    return {text, secretHash(text), text.first(kind.size() + 8)};
}

QByteArray secretHash(const QString &text)
{
    return QCryptographicHash::hash(text.toUtf8(), QCryptographicHash::Sha256);
}

} // namespace companion::identity
