#pragma once

#include "llm/wire/WireClient.h"
#include "llm/wire/WireHealth.h"
#include "memory/VectorStore.h"

namespace companion::memory {

struct PineconeOptions
{
    QUrl host; // of the index: https://….pinecone.io
    QByteArray apiKey;
    int connections = 16;
    std::chrono::milliseconds total{20'000};
};

// Pinecone by its REST interface: a namespace for each user, "user_<id>"; an id is "<mark of the embedder>:<memory>".
// No text goes there: ids, vectors and the mark.
class PineconeStore final : public VectorStore
{
    Q_OBJECT
public:
    explicit PineconeStore(const PineconeOptions &options, QObject *parent = nullptr);

    QString name() const override { return QStringLiteral("pinecone"); }
    void upsert(const UserId &user, const QString &embedder, const std::vector<StoredVector> &vectors, QObject *context,
                Done then) override;
    void query(const UserId &user, const QString &embedder, const Vector &question, int count,
               std::chrono::milliseconds within, QObject *context, Found then) override;
    void remove(const UserId &user, const QString &embedder, const QList<MemoryId> &ids, QObject *context,
                Done then) override;
    void removeAll(const UserId &user, const QString &embedder, QObject *context, Done then) override;
    void list(const UserId &user, const QString &embedder, QObject *context, Ids then) override;
    std::pair<QString, QString> health() const override { return m_health.state(); }

private:
    using Next = std::function<void(const Result<bool> &)>;
    void send(const llm::WireRequest &request, QObject *context, llm::WireClient::Then then);
    void upsertFrom(const UserId &user, const QString &mark, std::vector<StoredVector> vectors, size_t from,
                    QObject *context, Done then);
    void removeFrom(const UserId &user, const QString &mark, QList<MemoryId> ids, QObject *context, Done then);
    void listFrom(const UserId &user, const QString &mark, const QString &token, QList<MemoryId> ids, QObject *context,
                  Ids then);
    Refusal refusalOf(const llm::WireAnswer &answer) const;

    llm::WireClient m_client;
    llm::WireHealth m_health;
};

} // namespace companion::memory
