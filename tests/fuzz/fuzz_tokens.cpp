// Compact JWS and our access tokens. The first byte chooses: the bytes as they are; as header and payload (split at the
// first newline) under a signature that fits; as payload under our own key's true header.
#include "Fuzz.h"
#include "identity/AccessTokens.h"
#include "jose/Jws.h"

#include <QMessageAuthenticationCode>

using namespace companion;
using namespace companion::identity;
using companion::fuzz::must;

namespace {

constexpr auto base64 = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;
const QByteArray secret(32, 'k');

class FixedClock : public Clock
{
public:
    QDateTime now() const override { return QDateTime::fromSecsSinceEpoch(1'790'000'000, Qt::UTC); }
};

QByteArray signedToken(const QByteArray &header, const QByteArray &payload)
{
    const QByteArray input = header.toBase64(base64) + "." + payload.toBase64(base64);
    const auto mac = QMessageAuthenticationCode::hash(input, secret, QCryptographicHash::Sha256);
    return input + "." + mac.toBase64(base64);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const FixedClock clock;
    static const AccessTokens tokens(clock, {{QStringLiteral("one"), secret}});
    static const auto key = *jose::JwsKey::fromSecret(secret);
    static const QByteArray trueHeader = QByteArray::fromBase64(
        tokens.issue({.user = UserId::create(), .device = DeviceId::create(), .expiresAt = clock.now().addSecs(60)})
            .toLatin1()
            .split('.')
            .first(),
        base64);
    if (size < 1)
        return 0;
    const auto rest = fuzz::bytesOf(data + 1, size - 1);
    QByteArray token = rest;
    if (data[0] % 3 == 1)
        token = signedToken(rest.left(rest.indexOf('\n')), rest.mid(rest.indexOf('\n') + 1));
    else if (data[0] % 3 == 2)
        token = signedToken(trueHeader, rest);
    if (const auto jws = jose::Jws::read(token, 4096)) {
        const bool fits = key.verifies(*jws);
        must(!fits || jws->algorithm() == u"HS256", "a key verifies its own algorithm only");
        must(!fits || !jws->isUnsigned(), "what is not signed is not verified");
        (void)jws->claims();
        (void)jws->keyId();
    }
    const auto claims = tokens.verify(token);
    if (!claims)
        must(describe(claims.error().code).status == 401, "a bad token is 401");
    else
        must(claims->expiresAt > clock.now().addSecs(-AccessTokens::clockSkew_s)
                 && claims->expiresAt <= clock.now().addSecs(AccessTokens::lifetime_s + AccessTokens::clockSkew_s),
             "a good one lives now, and not for long");
    return 0;
}
