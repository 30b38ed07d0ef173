#include "moderation/TextCipher.h"

#include "common/Ensure.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

namespace companion::moderation {

namespace {

constexpr char formatVersion = 1;
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

TextCipher::TextCipher(QByteArray key)
    : m_key(std::move(key))
{
    ensure(m_key.size() == keyBytes, "a moderation key has 32 bytes");
}

QByteArray TextCipher::seal(const QString &text, const QByteArray &context) const
{
    const QByteArray plain = text.toUtf8();
    const QByteArray nonce = randomBytes(nonceBytes);
    QByteArray sealed = QByteArray(1, formatVersion) + nonce + QByteArray(plain.size() + tagBytes, '\0');
    const Cipher cipher = newCipher();
    int length = 0;
    check(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, in(m_key), in(nonce)));
    check(EVP_EncryptUpdate(cipher.get(), nullptr, &length, in(context), static_cast<int>(context.size())));
    check(EVP_EncryptUpdate(cipher.get(), out(sealed, 1 + nonceBytes), &length, in(plain),
                            static_cast<int>(plain.size())));
    check(EVP_EncryptFinal_ex(cipher.get(), out(sealed, 1 + nonceBytes + length), &length));
    check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tagBytes, out(sealed, sealed.size() - tagBytes)));
    return sealed;
}

std::optional<QString> TextCipher::open(const QByteArray &sealed, const QByteArray &context) const
{
    const qsizetype plainBytes = sealed.size() - 1 - nonceBytes - tagBytes;
    if (plainBytes < 0 || sealed[0] != formatVersion)
        return std::nullopt;
    QByteArray plain(plainBytes, '\0');
    QByteArray tag = sealed.last(tagBytes);
    const Cipher cipher = newCipher();
    int length = 0;
    check(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, in(m_key), in(sealed, 1)));
    check(EVP_DecryptUpdate(cipher.get(), nullptr, &length, in(context), static_cast<int>(context.size())));
    check(
        EVP_DecryptUpdate(cipher.get(), out(plain), &length, in(sealed, 1 + nonceBytes), static_cast<int>(plainBytes)));
    check(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tagBytes, out(tag)));
    if (EVP_DecryptFinal_ex(cipher.get(), out(plain, length), &length) != 1)
        return std::nullopt;
    return QString::fromUtf8(plain);
}

} // namespace companion::moderation
