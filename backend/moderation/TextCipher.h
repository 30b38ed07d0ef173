#pragma once

#include <QByteArray>
#include <QString>
#include <expected>
#include <optional>

namespace companion::moderation {

// AES-256-GCM for the texts of moderation records. Stored form: version byte 1, 12 bytes nonce, ciphertext, 16 bytes
// tag. `context` is bound to it without being stored: a ciphertext moved to another record does not open.
// Immutable, safe on any thread. A failure of the library itself is a Bug.
class TextCipher
{
public:
    static constexpr int keyBytes = 32;
    static QByteArray newKey();
    // A key as configuration has it: 64 hex digits, or base64 of 32 bytes.
    static std::expected<TextCipher, QString> fromText(const QString &key);
    explicit TextCipher(QByteArray key); // just 32 bytes, or a Bug

    QByteArray seal(const QString &text, const QByteArray &context) const;
    // nullopt when the key is another, or the bytes or the context were changed.
    std::optional<QString> open(const QByteArray &sealed, const QByteArray &context) const;

private:
    QByteArray m_key;
};

} // namespace companion::moderation
