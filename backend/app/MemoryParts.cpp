#include "app/MemoryParts.h"

#include "memory/embedders/WireEmbedder.h"
#include "memory/stores/ChromaStore.h"
#include "memory/stores/PineconeStore.h"

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

std::unique_ptr<memory::Embedder> embedderFor(const Configuration &configuration, const QString &model)
{
    return std::make_unique<memory::WireEmbedder>(
        memory::WireEmbedderOptions{.baseUrl = QUrl(configuration.embeddingBaseUrl),
                                    .apiKey = configuration.embeddingApiKey.toLatin1(),
                                    .model = model});
}

// A host by itself is reached by https.
QUrl pineconeUrl(const QString &host)
{
    return QUrl(host.contains(u"://"_s) ? host : QString(u"https://"_s + host));
}

std::unique_ptr<memory::VectorStore> storeFor(const Configuration &configuration)
{
    using Store = Configuration::VectorStore;
    if (configuration.vectorStore == Store::Chroma)
        return std::make_unique<memory::ChromaStore>(
            memory::ChromaOptions{.url = QUrl(configuration.chromaUrl), .token = configuration.chromaToken.toLatin1()});
    if (configuration.vectorStore == Store::Pinecone)
        return std::make_unique<memory::PineconeStore>(
            memory::PineconeOptions{.host = pineconeUrl(configuration.pineconeHost),
                                    .apiKey = configuration.pineconeApiKey.toLatin1()});
    return nullptr;
}

} // namespace

MemoryParts::MemoryParts(const Configuration &configuration, Features &features, db::Workers &bulk)
    : m_memories(*features.memory)
    , m_store(storeFor(configuration))
{
    if (!configuration.usesLocalEmbedder()) {
        m_embedder = embedderFor(configuration, configuration.embeddingModel);
        for (const QString &model : configuration.embeddingOldModels) {
            m_old.push_back(embedderFor(configuration, model));
            features.spaces.know(m_old.back().get());
        }
    }
    features.spaces.use(m_embedder.get(), m_store.get());
    m_gatherer = std::make_unique<memory::Gatherer>(features.spaces, features.memory->terms());
    m_keeper = std::make_unique<memory::MemoryKeeper>(*features.memory, bulk);
    m_sweep = std::make_unique<memory::MemorySweep>(*features.memory, bulk);
}

MemoryParts::~MemoryParts()
{
    m_keeper->stop();
}

std::function<void()> MemoryParts::nudge()
{
    return [keeper = m_keeper.get()] {
        QMetaObject::invokeMethod(keeper, &memory::MemoryKeeper::nudge, Qt::QueuedConnection);
    };
}

void MemoryParts::start()
{
    m_keeper->start();
    m_sweep->start();
}

void MemoryParts::stop()
{
    m_keeper->stop();
    m_sweep->stop();
}

SystemComponent MemoryParts::health() const
{
    const auto target = m_memories.spaces().target();
    QStringList whys;
    QString worst = u"ok"_s;
    const auto add = [&](const std::pair<QString, QString> &state) {
        if (state.first == "ok"_L1)
            return;
        worst = u"degraded"_s; // turns go on without it
        whys.append(state.second);
    };
    if (m_embedder)
        add(m_embedder->health());
    if (m_store)
        add(m_store->health());
    return {u"memory"_s, worst, whys.isEmpty() ? target.name() : whys.join(u"; "_s)};
}

} // namespace companion::app
