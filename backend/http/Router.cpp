#include "http/Router.h"

#include "common/Ensure.h"
#include "http/ExchangeState.h"
#include "ops/Log.h"

#include <map>

namespace companion::http {

namespace {

bool isName(const QString &segment)
{
    return segment.startsWith(u'{') && segment.endsWith(u'}');
}

} // namespace

// One segment of all paths; "{…}" segments share one child.
struct Router::Tree
{
    struct Route
    {
        QString pattern;
        QStringList names; // of its {…} segments, in order
        Handler handler;
        std::optional<qint64> bodyLimit;
    };

    std::map<QString, std::unique_ptr<Tree>> literals;
    std::unique_ptr<Tree> named;
    std::map<Method, Route> routes;

    Tree &child(const QString &segment)
    {
        auto &slot = isName(segment) ? named : literals[segment];
        if (!slot)
            slot = std::make_unique<Tree>();
        return *slot;
    }

    // The node of a path, with the texts of its named segments; literals first, so that /users/me wins over
    // /users/{id}.
    const Tree *find(const QStringList &segments, qsizetype at, QStringList &texts) const
    {
        if (at == segments.size())
            return routes.empty() ? nullptr : this;
        if (const auto literal = literals.find(segments.at(at)); literal != literals.end())
            if (const auto *found = literal->second->find(segments, at + 1, texts))
                return found;
        if (!named || segments.at(at).isEmpty())
            return nullptr;
        texts.append(segments.at(at));
        if (const auto *found = named->find(segments, at + 1, texts))
            return found;
        texts.removeLast();
        return nullptr;
    }

    void list(QList<std::pair<Method, QString>> &all) const
    {
        for (const auto &[method, route] : routes)
            all.append({method, route.pattern});
        for (const auto &[name, child] : literals)
            child->list(all);
        if (named)
            named->list(all);
    }

    const Route *route(Method method) const
    {
        auto found = routes.find(method);
        if (found == routes.end() && method == Method::Head)
            found = routes.find(Method::Get);
        return found == routes.end() ? nullptr : &found->second;
    }

    QByteArray allow() const
    {
        QList<QByteArray> names;
        for (const auto &[method, route] : routes)
            names.append(methodName(method));
        if (routes.contains(Method::Get) && !routes.contains(Method::Head))
            names.append("HEAD");
        if (!routes.contains(Method::Options))
            names.append("OPTIONS");
        return names.join(", ");
    }
};

namespace {

void answerWithout(const Exchange &exchange, const QByteArray &allow)
{
    const auto &request = exchange.request();
    auto answer = exchange;
    if (request.method == Method::Options)
        return answer.send(Reply::noContent().with("Allow", allow));
    const Refusal refusal{ErrorCode::MethodNotAllowed, QString(u"The path takes " + QString::fromLatin1(allow) + u".")};
    answer.send(Reply::problem(refusal, request.id).with("Allow", allow));
}

void callSafely(const Handler &handler, Exchange exchange)
{
    const auto id = exchange.request().id;
    try {
        handler(exchange);
        return;
    } catch (const std::exception &error) {
        ops::log(ops::Level::Error, "handler_threw", id, {{"what", QString::fromUtf8(error.what())}});
    } catch (...) {
        ops::log(ops::Level::Error, "handler_threw", id);
    }
    if (!exchange.isAnswered())
        exchange.send(Reply::problem({ErrorCode::Internal, QStringLiteral("An error on our side.")}, id));
}

} // namespace

Router::Router()
    : m_tree(std::make_unique<Tree>())
{
}

Router::~Router() = default;

void Router::add(Method method, const QString &pattern, Handler handler, std::optional<qint64> bodyLimit)
{
    ensure(pattern.startsWith(u'/') && handler, "a route has a path and a handler");
    auto *node = m_tree.get();
    Tree::Route route{pattern, {}, std::move(handler), bodyLimit};
    for (const auto &segment : pattern.sliced(1).split(u'/')) {
        node = &node->child(segment);
        if (isName(segment))
            route.names.append(segment.sliced(1, segment.size() - 2));
    }
    ensure(node->routes.emplace(method, std::move(route)).second, "a method and path have one handler");
}

void Router::dispatch(Exchange exchange) const
{
    auto &request = *exchange.m_state->request;
    if (request.segments.isEmpty()) // OPTIONS *
        return answerWithout(exchange, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    QStringList texts;
    const auto *node = m_tree->find(request.segments, 0, texts);
    if (!node)
        return exchange.send(
            Reply::problem({ErrorCode::NotFound, QStringLiteral("There is nothing at this path.")}, request.id));
    const auto *route = node->route(request.method);
    if (!route)
        return answerWithout(exchange, node->allow());
    request.route = route->pattern;
    for (qsizetype i = 0; i < texts.size(); ++i)
        request.params.insert(route->names.at(i), texts.at(i));
    callSafely(route->handler, std::move(exchange));
}

QList<std::pair<Method, QString>> Router::routes() const
{
    QList<std::pair<Method, QString>> all;
    m_tree->list(all);
    return all;
}

std::optional<qint64> Router::bodyLimit(Method method, const QStringList &segments) const
{
    QStringList texts;
    const auto *node = segments.isEmpty() ? nullptr : m_tree->find(segments, 0, texts);
    const auto *route = node ? node->route(method) : nullptr;
    return route ? route->bodyLimit : std::nullopt;
}

} // namespace companion::http
