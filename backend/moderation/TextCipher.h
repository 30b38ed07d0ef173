#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>
#include <expected>
#include <optional>

namespace companion::moderation {

// AES-256-GCM for the texts of moderation records. Stored form: version byte 2, 4 bytes that name the key (the first of
// its SHA-256), 12 bytes nonce, ciphertext, 16 bytes tag; version 1, still read, has no name of a key. What is sealed
// is sealed with the first key; earlier ones only open. `context` is bound to it without being stored: a ciphertext
// moved to another record does not open. Immutable, safe on any thread. A failure of the library itself is a Bug.
class TextCipher
{
public:
    static constexpr int keyBytes = 32;
    static QByteArray newKey();
    // A key as configuration has it: 64 hex digits, or base64 of 32 bytes.
    static std::expected<TextCipher, QString> fromText(const QString &key);
    explicit TextCipher(QByteArray key, QList<QByteArray> earlier = {}); // just 32 bytes each, or a Bug
    // The same with these earlier keys, written as in fromText.
    std::expected<TextCipher, QString> withEarlier(const QStringList &keys) const;

    QByteArray seal(const QString &text, const QByteArray &context) const;
    // nullopt when the key is another, or the bytes or the context were changed.
    std::optional<QString> open(const QByteArray &sealed, const QByteArray &context) const;

private:
    std::optional<QString> openWith(const QByteArray &key, const QByteArray &sealed, qsizetype header,
                                    const QByteArray &context) const;

    QList<QByteArray> m_keys; // the first seals
};

} // namespace companion::moderation
