#pragma once

#include "http/Exchange.h"

#include <functional>
#include <memory>
#include <optional>

namespace companion::http {

using Handler = std::function<void(Exchange)>;

// Patterns are literal segments and {name} segments: "/api/v1/chat/sessions/{id}/messages". Literals win over names.
// HEAD is answered by GET's handler without its body. A path that exists with other methods answers 405 with Allow,
// OPTIONS answers them too. Anything else 404.
class Router
{
public:
    Router();
    ~Router();
    // Two handlers for one method and pattern are a Bug. `bodyLimit` (bytes) may be smaller than the server's, not
    // larger: a longer body is refused with 413 before it is read.
    void add(Method method, const QString &pattern, Handler handler, std::optional<qint64> bodyLimit = {});
    // Looks up and calls the handler, or answers 404/405 itself. Exceptions from handlers become 500 and are logged.
    void dispatch(Exchange exchange) const;
    std::optional<qint64> bodyLimit(Method method, const QStringList &segments) const;
    // Every method and pattern that was added: for holding the API document against what is really served.
    QList<std::pair<Method, QString>> routes() const;

private:
    struct Tree;
    std::unique_ptr<Tree> m_tree;
};

} // namespace companion::http
