#pragma once

#include <QByteArray>
#include <QList>

namespace companion::http::test {

// A client's whole words and the statuses that they are answered with. Our own, by RFC 9110 and 9112; what others
// published is in tst_PublishedCases.
struct WireCase
{
    const char *name;
    QByteArray bytes;
    QList<int> statuses; // empty: it waits for more
    bool closed = true;  // the connection has ended
};

// A literal that holds a NUL, whole.
template <std::size_t Size>
QByteArray withNul(const char (&text)[Size])
{
    return QByteArray(text, qsizetype(Size - 1));
}

inline QByteArray getWith(const QByteArray &fields)
{
    return "GET /echo HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

inline QByteArray postChunked(const QByteArray &body, const QByteArray &fields = {})
{
    return "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + fields + "\r\n" + body;
}

inline QByteArray postCounted(const QByteArray &length, const QByteArray &body)
{
    return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n" + body;
}

inline QList<WireCase> soundCases()
{
    const QByteArray plain = getWith({});
    return {
        {"plain", plain, {200}, false},
        {"empty lines in front", "\r\n\r\n" + plain, {200}, false},
        {"lower-case names", "GET /echo HTTP/1.1\r\nhost: x\r\naccept: */*\r\n\r\n", {200}, false},
        {"no blank behind the colon", "GET /echo HTTP/1.1\r\nHost:x\r\nA:b\r\n\r\n", {200}, false},
        {"blanks and tabs around a value", getWith("A: \t b \t \r\n"), {200}, false},
        {"an empty value", getWith("A:\r\nB: \r\n"), {200}, false},
        {"obs-text in a value", getWith("A: \x80\xff\xe4\r\n"), {200}, false},
        {"every letter of a token", getWith("!#$%&'*+-.^_`|~09azAZ: x\r\n"), {200}, false},
        {"host with port", "GET /echo HTTP/1.1\r\nHost: x:65535\r\n\r\n", {200}, false},
        {"IPv6 host", "GET /echo HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", {200}, false},
        {"absolute form", "GET http://x/echo HTTP/1.1\r\nHost: x\r\n\r\n", {200}, false},
        {"absolute form without path", "GET http://x?a=b HTTP/1.1\r\nHost: x\r\n\r\n", {404}, false},
        {"query", "GET /echo?a=1&b=%20+c HTTP/1.1\r\nHost: x\r\n\r\n", {200}, false},
        {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", {204}, false},
        {"HTTP/1.0", "GET /echo HTTP/1.0\r\n\r\n", {200}, true},
        {"HTTP/1.0 kept", "GET /echo HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", {200}, false},
        {"close", getWith("Connection: close\r\n"), {200}, true},
        {"close among others", getWith("Connection: foo, CLOSE ,bar\r\n"), {200}, true},
        {"close in a second line", getWith("Connection: foo\r\nConnection: close\r\n"), {200}, true},
        {"an upgrade is ignored", getWith("Connection: Upgrade\r\nUpgrade: h2c\r\n"), {200}, false},
        {"a body that GET may have", "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", {200}, false},
        {"counted body", postCounted("5", "hello"), {200}, false},
        {"empty body", postCounted("0", ""), {200}, false},
        {"a body that looks like a request", postCounted(QByteArray::number(plain.size()), plain), {200}, false},
        {"chunks", postChunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), {200}, false},
        {"no chunks", postChunked("0\r\n\r\n"), {200}, false},
        {"hex in both cases and zeros in front",
         postChunked("00a\r\n0123456789\r\n0B\r\n01234567890\r\n000\r\n\r\n"),
         {200},
         false},
        {"chunk extensions", postChunked("3;a\r\nabc\r\n3 ; a = b\r\nabc\r\n0;q=\"x;\\\"y\"\r\n\r\n"), {200}, false},
        {"trailers", postChunked("3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n"), {200}, false},
        {"a chunk that holds a chunk's end", postChunked("7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"), {200}, false},
        {"chunked in capitals",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
         {200},
         false},
        {"expectation with its body",
         postCounted("2", "ab").replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"),
         {200},
         false},
        {"expectation without body", getWith("Expect: 100-continue\r\n"), {200}, false},
        {"HEAD", "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n", {200}, false},
        {"two in one", plain + plain, {200, 200}, false},
        {"seven in one", plain.repeated(7), {200, 200, 200, 200, 200, 200, 200}, false},
        {"bodies between",
         postCounted("2", "ab") + plain + postChunked("1\r\nx\r\n0\r\n\r\n") + plain,
         {200, 200, 200, 200},
         false},
        {"nothing behind the last", getWith("Connection: close\r\n") + plain, {200}, true},
        {"an error in the middle ends it", plain + "nonsense\r\n\r\n" + plain, {200, 400}, true},
        {"a wrong path in the middle does not",
         plain + "GET /no HTTP/1.1\r\nHost: x\r\n\r\n" + plain,
         {200, 404, 200},
         false},
        {"a wrong method in the middle does not",
         plain + "DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n" + plain,
         {200, 405, 200},
         false},
        {"a body too large in the middle ends it", plain + postCounted("1048577", "") + plain, {200, 413}, true},
        {"half a line", "GET /ec", {}, false},
        {"half a head", "GET /echo HTTP/1.1\r\nHost: x\r\n", {}, false},
        {"half a body", postCounted("5", "abc"), {}, false},
        {"half a chunk", postChunked("5\r\nabc"), {}, false},
        {"a chunk without its line end", postChunked("3\r\nabc"), {}, false},
        {"trailers without their end", postChunked("0\r\nX: y\r\n"), {}, false},
    };
}

inline QList<WireCase> unsoundHeads()
{
    const QByteArray host = "Host: x\r\n";
    return {
        {"no version", "GET /echo\r\n" + host + "\r\n", {400}},
        {"no target", "GET HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"two blanks", "GET  /echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"blank at the end", "GET /echo HTTP/1.1 \r\n" + host + "\r\n", {400}},
        {"tab between", "GET\t/echo\tHTTP/1.1\r\n" + host + "\r\n", {400}},
        {"blank in front", " GET /echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"lower-case version", "GET /echo http/1.1\r\n" + host + "\r\n", {400}},
        {"long version", "GET /echo HTTP/1.10\r\n" + host + "\r\n", {400}},
        {"version 2", "GET /echo HTTP/2.0\r\n" + host + "\r\n", {505}},
        {"version 9.9", "GET /echo HTTP/9.9\r\n" + host + "\r\n", {505}},
        {"version 1.2", "GET /echo HTTP/1.2\r\n" + host + "\r\n", {505}},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}},
        {"lower-case method", "get /echo HTTP/1.1\r\n" + host + "\r\n", {501}},
        {"unknown method", "BREW /echo HTTP/1.1\r\n" + host + "\r\n", {501}},
        {"CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", {501}},
        {"TRACE", "TRACE /echo HTTP/1.1\r\n" + host + "\r\n", {501}},
        {"a method that is no token", "G(T /echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"a long method", QByteArray(2'000, 'M') + " /echo HTTP/1.1\r\n" + host + "\r\n", {501}},
        {"authority form", "GET x:80 HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"asterisk for GET", "GET * HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"another scheme", "GET ftp://x/echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"user in the target", "GET http://u:p@x/echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"fragment", "GET /echo#a HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"NUL in the target", withNul("GET /e\0cho HTTP/1.1\r\nHost: x\r\n\r\n"), {400}},
        {"bytes above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"overlong UTF-8, encoded", "GET /%c0%af HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"encoded NUL", "GET /%00 HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"encoded line break", "GET /a%0d%0aB HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"broken escape", "GET /%4 HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"dot segments", "GET /../echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"encoded dot segments", "GET /%2e%2E/echo HTTP/1.1\r\n" + host + "\r\n", {400}},
        {"bare LF behind the request line", "GET /echo HTTP/1.1\nHost: x\r\n\r\n", {400}},
        {"bare LF behind a field", "GET /echo HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", {400}},
        {"bare LF at the end", "GET /echo HTTP/1.1\r\nHost: x\r\n\n", {400}},
        {"bare CR in a value", getWith("A: b\rc\r\n"), {400}},
        {"bare CR in a name", getWith("A\rB: c\r\n"), {400}},
        {"CR CR LF", "GET /echo HTTP/1.1\r\r\nHost: x\r\n\r\n", {400}},
        {"NUL in a value", withNul("GET /echo HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"), {400}},
        {"DEL in a value", getWith("A: \x7f\r\n"), {400}},
        {"vertical tab in a value", getWith("A: \x0b\r\n"), {400}},
        {"NUL in a name", withNul("GET /echo HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n"), {400}},
        {"bytes above ASCII in a name", getWith("\xc3\xa4: b\r\n"), {400}},
        {"blank before the colon", getWith("A : b\r\n"), {400}},
        {"blank in front of a name", "GET /echo HTTP/1.1\r\n Host: x\r\n\r\n", {400}},
        {"a folded line", getWith("A: b\r\n c\r\n"), {400}},
        {"no colon", getWith("nonsense\r\n"), {400}},
        {"an empty name", getWith(": b\r\n"), {400}},
        {"no Host", "GET /echo HTTP/1.1\r\n\r\n", {400}},
        {"two Hosts", getWith("Host: x\r\n"), {400}},
        {"an empty Host", "GET /echo HTTP/1.1\r\nHost:\r\n\r\n", {400}},
        {"a list of Hosts", "GET /echo HTTP/1.1\r\nHost: x, y\r\n\r\n", {400}},
        {"Host with user", "GET /echo HTTP/1.1\r\nHost: u@x\r\n\r\n", {400}},
        {"Host with path", "GET /echo HTTP/1.1\r\nHost: x/y\r\n\r\n", {400}},
        {"Host with a port that is none", "GET /echo HTTP/1.1\r\nHost: x:99999\r\n\r\n", {400}},
        {"an expectation unknown", getWith("Expect: 200-ok\r\n"), {417}},
        {"two expectations", getWith("Expect: 100-continue, 200-ok\r\n"), {417}},
        {"empty lines without end", "\r\n\r\n\r\n\r\n\r\n", {400}},
        {"a TLS hello",
         QByteArray::fromHex("160301020001000"
                             "1fc0303")
             + QByteArray(60, '\x2a') + "\r\n",
         {400}},
        {"too many fields", getWith(QByteArray("A: b\r\n").repeated(100)), {431}},
        {"a head too large", getWith("A: " + QByteArray(17'000, 'a') + "\r\n"), {431}},
        {"a target too large", "GET /" + QByteArray(17'000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", {431}},
    };
}

inline QList<WireCase> unsoundFraming()
{
    const auto coded = [](const QByteArray &coding) -> QByteArray {
        return "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n";
    };
    const QByteArray smuggled = "GET /echo HTTP/1.1\r\nHost: evil\r\n\r\n";
    return {
        {"length -5", postCounted("-5", "hello"), {400}},
        {"length +5", postCounted("+5", "hello"), {400}},
        {"length 0x5", postCounted("0x5", "hello"), {400}},
        {"length 5 5", postCounted("5 5", "hello"), {400}},
        {"length 5, 5", postCounted("5, 5", "hello"), {400}},
        {"length 05", postCounted("05", "hello"), {400}},
        {"length 5.0", postCounted("5.0", "hello"), {400}},
        {"an empty length", postCounted("", "hello"), {400}},
        {"full-width digits", postCounted("\xef\xbc\x95", "hello"), {400}},
        {"a length beyond 64 bits", postCounted("18446744073709551621", "hello"), {400}},
        {"a length beyond 63 bits", postCounted("9223372036854775808", "hello"), {400}},
        {"the largest length", postCounted("9223372036854775807", "hello"), {413}},
        {"two lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", {400}},
        {"length and coding",
         "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
             + smuggled,
         {400}},
        {"coding and length",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
             + smuggled,
         {400}},
        {"an underscore for the dash", "POST /echo HTTP/1.1\r\nHost: x\r\nContent_Length: 5\r\n\r\nhello", {400}},
        {"and in the coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n", {400}},
        {"coding identity", coded("identity"), {400}},
        {"coding gzip, chunked", coded("gzip, chunked"), {501}},
        {"coding chunked, gzip", coded("chunked, gzip"), {400}},
        {"coding chunked twice", coded("chunked, chunked"), {400}},
        {"coding xchunked", coded("xchunked"), {501}},
        {"coding with a quote", coded("\"chunked\""), {400}},
        {"coding with a vertical tab",
         coded("\x0b"
               "chunked"),
         {400}},
        {"coding with a form feed", coded("chunked\x0c"), {400}},
        {"coding with a comma", coded(",chunked"), {400}},
        {"an empty coding", coded(""), {400}},
        {"two codings in two lines",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
         {400}},
        {"coding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}},
        {"a chunk size that is none", postChunked("x\r\n"), {400}},
        {"a negative chunk size", postChunked("-1\r\nabc"), {400}},
        {"a signed chunk size", postChunked("+3\r\nabc\r\n0\r\n\r\n"), {400}},
        {"a chunk size with 0x", postChunked("0x3\r\nabc\r\n0\r\n\r\n"), {400}},
        {"a chunk size with an underscore", postChunked("1_0\r\n"), {400}},
        {"a blank before the chunk size", postChunked(" 3\r\nabc\r\n0\r\n\r\n"), {400}},
        {"a blank behind the chunk size", postChunked("3 \r\nabc\r\n0\r\n\r\n"), {400}},
        {"no chunk size", postChunked("\r\nabc"), {400}},
        {"a chunk size of 2^64 and 3", postChunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), {413}},
        {"a chunk size of 2^63", postChunked("8000000000000000\r\n"), {413}},
        {"a chunk size of F times 15", postChunked("fffffffffffffff\r\n"), {413}},
        {"a chunk larger than the limit", postChunked("100001\r\n"), {413}},
        {"chunks that together pass the limit", postChunked("3\r\nabc\r\nffffe\r\n"), {413}},
        {"a bare LF behind the chunk size", postChunked("3\nabc\r\n0\r\n\r\n"), {400}},
        {"a bare CR behind the chunk size", postChunked("3\rXabc\r\n0\r\n\r\n"), {400}},
        {"data longer than its chunk", postChunked("3\r\nabcd\r\n0\r\n\r\n"), {400}},
        {"data shorter than its chunk", postChunked("5\r\nabc\r\n0\r\n\r\n"), {400}},
        {"a bare LF behind the data", postChunked("3\r\nabc\n0\r\n\r\n"), {400}},
        {"an extension without name", postChunked("3;\r\nabc\r\n0\r\n\r\n"), {400}},
        {"an extension with a bare LF", postChunked("3;a\nabc\r\n0\r\n\r\n"), {400}},
        {"an extension with a bare CR", postChunked("3;a\rb\r\nabc\r\n0\r\n\r\n"), {400}},
        {"an extension with NUL", postChunked(withNul("3;a\0\r\nabc\r\n")), {400}},
        {"a quote left open", postChunked("3;a=\"b\r\nabc\r\n0\r\n\r\n"), {400}},
        {"a long extension", postChunked("3;" + QByteArray(2'000, 'a') + "\r\n"), {400}},
        {"many extensions", postChunked(QByteArray("1;" + QByteArray(900, 'a') + "\r\nx\r\n").repeated(10)), {400}},
        {"a trailer that frames", postChunked("0\r\nContent-Length: 5\r\n\r\n"), {400}},
        {"a trailer that authorizes", postChunked("0\r\nAuthorization: x\r\n\r\n"), {400}},
        {"a trailer without colon", postChunked("0\r\nnonsense\r\n\r\n"), {400}},
        {"a folded trailer", postChunked("0\r\nA: b\r\n c\r\n\r\n"), {400}},
        {"a bare LF behind the trailers", postChunked("0\r\n\n"), {400}},
        {"too large trailers",
         postChunked("0\r\n" + QByteArray("A: " + QByteArray(900, 'a') + "\r\n").repeated(10) + "\r\n"),
         {431}},
    };
}

} // namespace companion::http::test
