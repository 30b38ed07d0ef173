#include "memory/Gathering.h"

#include <algorithm>

namespace companion::memory {

namespace {

constexpr qsizetype longestQuestion = 8'000; // characters, of what an embedder takes

} // namespace

Gatherer::Gatherer(const Spaces &spaces, const MemoryTerms &terms, QObject *parent)
    : QObject(parent)
    , m_spaces(spaces)
    , m_terms(terms)
{
}

void Gatherer::gather(const UserId &user, const QString &space, const QString &text, QObject *context, Then then)
{
    new Gathering(*this, user, space, text, context, std::move(then));
}

void Gatherer::failed()
{
    if (++m_failures >= restAfter)
        m_rest.start();
}

Gathering::Gathering(Gatherer &gatherer, const UserId &user, const QString &space, const QString &text,
                     QObject *context, Gatherer::Then then)
    : QObject(&gatherer)
    , m_gatherer(gatherer)
    , m_user(user)
    , m_space(Space::parse(space))
    , m_context(context)
    , m_then(std::move(then))
    , m_gathered{.space = space}
{
    m_limit.setSingleShot(true);
    connect(&m_limit, &QTimer::timeout, this, [this] { finish(false); });
    m_limit.start(gatherer.m_terms.gatherWithin_ms);
    QMetaObject::invokeMethod(this, [this, text] { begin(text); }, Qt::QueuedConnection);
}

void Gathering::begin(const QString &text)
{
    if (m_finished)
        return;
    if (const LocalEmbedder *local = m_gatherer.m_spaces.localFor(m_space)) {
        m_gathered.vector = local->embed(text);
        return search();
    }
    Embedder *embedder = m_gatherer.isResting() ? nullptr : m_gatherer.m_spaces.embedderFor(m_space);
    if (!embedder)
        return finish(false);
    m_embedding = embedder->start({text.left(longestQuestion)});
    connect(m_embedding, &Embedding::finished, this, &Gathering::embedded);
}

void Gathering::embedded(const Result<Vectors> &vectors)
{
    if (m_finished)
        return;
    if (!vectors || vectors->size() != 1)
        return finish(false);
    m_gathered.vector = vectors->front();
    search();
}

void Gathering::search()
{
    const bool known = std::ranges::any_of(m_gathered.vector, [](float x) { return x != 0; });
    if (m_space.store == inPostgres || !known)
        return finish(true);
    VectorStore *store = m_gatherer.isResting() ? nullptr : m_gatherer.m_spaces.storeFor(m_space);
    if (!store)
        return finish(false);
    store->query(m_user, m_space.embedder, m_gathered.vector, m_gatherer.m_terms.candidates,
                 std::chrono::milliseconds(m_limit.remainingTime()), this,
                 [this](const Result<std::vector<Nearest>> &nearest) {
                     if (m_finished)
                         return;
                     if (nearest)
                         m_gathered.nearest = *nearest;
                     finish(nearest.has_value());
                 });
}

void Gathering::finish(bool well)
{
    if (m_finished)
        return;
    m_finished = true;
    m_limit.stop();
    if (m_embedding)
        m_embedding->disconnect(this);
    well ? m_gatherer.succeeded() : m_gatherer.failed();
    m_gathered.degraded = !well;
    deleteLater();
    if (m_context)
        m_then(m_gathered);
}

} // namespace companion::memory
