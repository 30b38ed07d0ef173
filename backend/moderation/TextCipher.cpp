#include "moderation/TextCipher.h"

#include "common/Ensure.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <QCryptographicHash>

#include <memory>

namespace companion::moderation {

namespace {

constexpr char namelessVersion = 1;
constexpr char namedVersion = 2;
constexpr int nameBytes = 4;
constexpr int nonceBytes = 12;
constexpr int tagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Cipher newCipher()
{
    Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    ensure(cipher != nullptr, "libcrypto gives a cipher");
    return cipher;
}

void check(int outcome)
{
    ensure(outcome == 1, "libcrypto seals");
}

const uchar *in(const QByteArray &bytes, qsizetype at = 0)
{
    return reinterpret_cast<const uchar *>(bytes.constData()) + at;
}

uchar *out(QByteArray &bytes, qsizetype at = 0)
{
    return reinterpret_cast<uchar *>(bytes.data()) + at;
}

QByteArray randomBytes(int count)
{
    QByteArray bytes(count, '\0');
    check(RAND_bytes(out(bytes), count));
    return bytes;
}

QByteArray nameOf(const QByteArray &key)
{
    return QCryptographicHash::hash(key, QCryptographicHash::Sha256).first(nameBytes);
}

} // namespace

QByteArray TextCipher::newKey()
{
    return randomBytes(keyBytes);
}

std::expected<TextCipher, QString> TextCipher::fromText(const QString &key)
{
    const QByteArray text = key.trimmed().toLatin1();
    const bool isHex = text.size() == 2 * keyBytes;
    const auto base64 = QByteArray::fromBase64Encoding(text, QByteArray::AbortOnBase64DecodingErrors);
    const QByteArray bytes = isHex ? QByteArray::fromHex(text) : base64 ? *base64 : QByteArray();
    if (bytes.size() != keyBytes)
        return std::unexpected(QStringLiteral("must be 32 bytes, as 64 hex digits or in base64"));
    return TextCipher(bytes);
}

TextCipher::TextCipher(QByteArray key, QList<QByteArray> earlier)
    : m_keys{std::move(key)}
{
    m_keys += earlier;
    for (const QByteArray &one : m_keys)
        ensure(one.size() == keyBytes, "a moderation key has 32 bytes");
}

std::expected<TextCipher, QString> TextCipher::withEarlier(const QStringList &keys) const
{
    QList<QByteArray> earlier;
    for (const QString &key : keys) {
        const auto cipher = fromText(key);
        if (!cipher)
            return std::unexpected(cipher.error());
        earlier.append(cipher->m_keys.first());
    }
    return TextCipher(m_keys.first(), earlier);
}

QByteArray TextCipher::seal(const QString &text, const QByteArray &context) const
{
    const QByteArray &key = m_keys.first();
    const QByteArray plain = text.toUtf8();
    const QByteArray nonce = randomBytes(nonceBytes);
    const QByteArray header = QByteArray(1, namedVersion) + nameOf(key);
    QByteArray sealed = header + nonce + QByteArray(plain.size() + tagBytes, '\0');
    const qsizetype body = header.size() + nonceBytes;
    const Cipher cipher = newCipher();
    int length = 0;
    check(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, in(key), in(nonce)));
    check(EVP_EncryptUpdate(cipher.get(), nullptr, &length, in(context), static_cast<int>(context.size())));
    check(EVP_EncryptUpdate(cipher.get(), out(sealed, body), &length, in(plain), static_cast<int>(plain.size())));
    check(EVP_EncryptFinal_ex(cipher.get(), out(sealed, body + length), &length));
    check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tagBytes, out(sealed, sealed.size() - tagBytes)));
    return sealed;
}

std::optional<QString> TextCipher::open(const QByteArray &sealed, const QByteArray &context) const
{
    if (sealed.isEmpty() || (sealed[0] != namelessVersion && sealed[0] != namedVersion))
        return std::nullopt;
    const bool isNamed = sealed[0] == namedVersion;
    for (const QByteArray &key : m_keys)
        if (!isNamed || sealed.mid(1, nameBytes) == nameOf(key))
            if (auto text = openWith(key, sealed, isNamed ? 1 + nameBytes : 1, context))
                return text;
    return std::nullopt;
}

std::optional<QString> TextCipher::openWith(const QByteArray &key, const QByteArray &sealed, qsizetype header,
                                            const QByteArray &context) const
{
    const qsizetype body = header + nonceBytes;
    const qsizetype plainBytes = sealed.size() - body - tagBytes;
    if (plainBytes < 0)
        return std::nullopt;
    QByteArray plain(plainBytes, '\0');
    QByteArray tag = sealed.last(tagBytes);
    const Cipher cipher = newCipher();
    int length = 0;
    check(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, in(key), in(sealed, header)));
    check(EVP_DecryptUpdate(cipher.get(), nullptr, &length, in(context), static_cast<int>(context.size())));
    check(EVP_DecryptUpdate(cipher.get(), out(plain), &length, in(sealed, body), static_cast<int>(plainBytes)));
    check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tagBytes, out(tag)));
    if (EVP_DecryptFinal_ex(cipher.get(), out(plain, length), &length) != 1)
        return std::nullopt;
    return QString::fromUtf8(plain);
}

} // namespace companion::moderation
