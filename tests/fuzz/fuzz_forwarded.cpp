// Who is the client: lines of X-Forwarded-For and Forwarded from a trusted peer. The first byte chooses the header. An
// address that a client could have invented never counts: who appends the true one behind it is always believed first.
#include "Fuzz.h"
#include "http/ClientAddress.h"

using namespace companion::http;
using companion::fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size < 1)
        return 0;
    const bool rfc = data[0] % 2;
    const auto kind = rfc ? TrustedProxies::Header::Forwarded : TrustedProxies::Header::XForwardedFor;
    static const QHostAddress peer(QStringLiteral("10.0.0.1")), truth(QStringLiteral("192.0.2.7"));
    const auto proxies = *TrustedProxies::parse({QStringLiteral("10.0.0.0/8")}, kind);
    const auto said = companion::fuzz::bytesOf(data + 1, size - 1);
    Headers headers;
    for (const auto &line : said.split('\n'))
        headers.add(rfc ? "Forwarded" : "X-Forwarded-For", line);
    (void)networkOf(proxies.clientOf(peer, headers));
    must(proxies.clientOf(truth, headers) == truth, "from nobody we trust, nothing is believed");
    headers.add(rfc ? "Forwarded" : "X-Forwarded-For", rfc ? "for=192.0.2.7" : "192.0.2.7");
    const auto client = proxies.clientOf(peer, headers);
    must(client == truth || (rfc && client == peer), "the client is who the proxy says, or nobody");
    (void)TrustedProxies::parse({QString::fromLatin1(said)}, kind);
    const auto address = parseAddress(said);
    must(address.isNull() || parseAddress(address.toString().toLatin1()) == address, "an address is read as written");
    return 0;
}
