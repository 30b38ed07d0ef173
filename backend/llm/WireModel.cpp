#include "llm/WireModel.h"

#include "llm/wire/WireGeneration.h"

namespace companion::llm {

namespace {

QByteArray requestHead(const WireOptions &options)
{
    const QUrl &url = options.baseUrl;
    QByteArray path = url.path(QUrl::FullyEncoded).toLatin1();
    path += path.endsWith('/') ? "chat/completions" : "/chat/completions";
    if (url.hasQuery())
        path += '?' + url.query(QUrl::FullyEncoded).toLatin1();
    QByteArray host = url.host(QUrl::FullyEncoded).toLatin1();
    if (host.contains(':'))
        host = '[' + host + ']';
    if (url.port() > 0)
        host += ':' + QByteArray::number(url.port());
    QByteArray head = "POST " + path + " HTTP/1.1\r\nHost: " + host
        + "\r\nUser-Agent: companion-backend\r\nAccept: text/event-stream, application/json\r\n"
          "Accept-Encoding: identity\r\n"; // a compressor would hold the stream back
    if (!options.apiKey.isEmpty())
        head += "Authorization: Bearer " + options.apiKey.simplified() + "\r\n"; // one line, whatever was configured
    return head + "Content-Type: application/json\r\nContent-Length: ";
}

} // namespace

WireModel::WireModel(const WireOptions &options, QObject *parent)
    : m_options(options)
    , m_requestHead(requestHead(options))
    , m_pool(options.baseUrl, options.connections)
    , m_health(QStringLiteral("%1 at %2").arg(options.model, options.baseUrl.host()), options.degradedAfter,
               options.downAfter)
{
    setParent(parent);
}

// Generations use the pool and the health until their end, so they go first.
WireModel::~WireModel()
{
    qDeleteAll(findChildren<WireGeneration *>(QString(), Qt::FindDirectChildrenOnly));
}

Generation *WireModel::start(const Request &request)
{
    return new WireGeneration(*this, request);
}

} // namespace companion::llm
