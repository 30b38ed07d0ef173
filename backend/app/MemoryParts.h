#pragma once

#include "app/Configuration.h"
#include "app/Features.h"
#include "common/models/Admin.h"
#include "memory/Gathering.h"
#include "memory/MemoryKeeper.h"
#include "memory/MemorySweep.h"

namespace companion::app {

// Long-term memory's side on the event loop, as it is configured: the embedder and the store elsewhere, who gathers for
// turns, who does what stands in the queue. Tells the features' spaces what there is.
class MemoryParts
{
public:
    MemoryParts(const Configuration &configuration, Features &features, db::Workers &bulk);
    ~MemoryParts();

    memory::Gatherer &gatherer() { return *m_gatherer; }
    memory::MemoryKeeper &keeper() { return *m_keeper; }
    std::function<void()> nudge(); // for whoever puts something into the queue; from any thread
    void start();
    void stop();
    SystemComponent health() const;

private:
    const memory::MemoryService &m_memories;
    std::unique_ptr<memory::Embedder> m_embedder;
    std::vector<std::unique_ptr<memory::Embedder>> m_old;
    std::unique_ptr<memory::VectorStore> m_store;
    std::unique_ptr<memory::Gatherer> m_gatherer;
    std::unique_ptr<memory::MemoryKeeper> m_keeper;
    std::unique_ptr<memory::MemorySweep> m_sweep;
};

} // namespace companion::app
