#pragma once

#include "MemoryFixture.h"
#include "fakes/FakeVectors.h"
#include "memory/Gathering.h"
#include "memory/MemorySweep.h"
#include "memory/embedders/WireEmbedder.h"
#include "memory/stores/ChromaStore.h"
#include "memory/stores/PineconeStore.h"

#include <QProcess>

namespace companion::test {

// A real ChromaDB server, of the npm package; the environment variable CHROMA_CLI names its program (see
// tests/npm-chroma). Empty url(): there is none.
class ChromaServer
{
public:
    explicit ChromaServer(const QString &cli = qEnvironmentVariable("CHROMA_CLI"))
    {
        if (cli.isEmpty())
            return;
        QTcpServer free;
        free.listen(QHostAddress::LocalHost);
        m_port = free.serverPort();
        free.close();
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.setStandardOutputFile(QProcess::nullDevice());
        m_cli = cli;
        start();
    }
    ~ChromaServer() { stop(); }

    void start()
    {
        m_process.start(u"node"_s,
                        {m_cli, u"run"_s, u"--host"_s, u"127.0.0.1"_s, u"--port"_s, QString::number(m_port),
                         u"--path"_s, m_data.path()});
        QTcpSocket socket;
        for (int i = 0; i < 300; ++i) {
            socket.connectToHost(QHostAddress::LocalHost, m_port);
            if (socket.waitForConnected(100))
                return;
            QTest::qWait(50);
        }
        m_port = 0;
    }
    void stop()
    {
        if (m_process.state() == QProcess::NotRunning)
            return;
        m_process.kill();
        m_process.waitForFinished();
    }
    QUrl url() const { return m_port ? QUrl(u"http://127.0.0.1:%1"_s.arg(m_port)) : QUrl(); }

private:
    QTemporaryDir m_data;
    QProcess m_process;
    QString m_cli;
    quint16 m_port = 0;
};

// A remembering user whose vectors are kept in a store elsewhere, with the built-in embedder or another.
class StoreWorld : public MemoryFixture
{
protected:
    void makeWorld(memory::VectorStore *store, memory::Embedder *embedder = nullptr)
    {
        makeFeatures();
        makePremium(m_user);
        use(store, embedder);
    }
    void use(memory::VectorStore *store, memory::Embedder *embedder = nullptr)
    {
        if (m_keeper) {
            m_keeper->stop();
            ensure(QTest::qWaitFor([this] { return m_keeper->isIdle(); }, 10'000), "the keeper comes to rest");
        }
        m_store = store;
        m_features->spaces.use(embedder, store);
        m_gatherer = std::make_unique<memory::Gatherer>(m_features->spaces, m_features->memory->terms());
        keep();
        memory::MemoryKeeper::orderMoves(m_db->operators(), *m_features->memory);
    }

    // As a turn gathers and recalls.
    memory::Recollection gatherAndRecall(const QString &question)
    {
        std::optional<memory::Gathered> gathered;
        if (const auto space = m_features->memory->spaceToGather(m_db->app(), m_user)) {
            m_gatherer->gather(m_user, *space, memory::MemoryService::questionToEmbed(asked(question)),
                               m_gatherer.get(), [&gathered](const memory::Gathered &what) { gathered = what; });
            if (!QTest::qWaitFor([&] { return gathered.has_value(); }, 5'000))
                qWarning("nothing was gathered");
        }
        m_gathered = gathered;
        return m_features->memory->recall(m_db->app(), asked(question), gathered);
    }

    QList<MemoryId> listed(const UserId &user)
    {
        std::optional<Result<QList<MemoryId>>> ids;
        m_store->list(user, m_features->spaces.target().embedder, m_gatherer.get(),
                      [&ids](const Result<QList<MemoryId>> &told) { ids = told; });
        if (!QTest::qWaitFor([&] { return ids.has_value(); }, 10'000) || !*ids)
            qWarning("the store did not list");
        return ids && *ids ? **ids : QList<MemoryId>();
    }

    memory::SweepReport sweep()
    {
        memory::MemorySweep sweep(*m_features->memory, m_db->operatorWorkers());
        std::optional<memory::SweepReport> report;
        QObject::connect(&sweep, &memory::MemorySweep::ended,
                         [&report](const memory::SweepReport &told) { report = told; });
        sweep.run();
        (void)QTest::qWaitFor([&] { return report.has_value(); }, 20'000);
        return report.value_or(memory::SweepReport{-1, -1, -1});
    }

    memory::VectorStore *m_store = nullptr;
    std::unique_ptr<memory::Gatherer> m_gatherer;
    std::optional<memory::Gathered> m_gathered;
};

} // namespace companion::test
