#pragma once

#include "llm/wire/WireClient.h"
#include "llm/wire/WireHealth.h"
#include "memory/VectorStore.h"

#include <QCache>

namespace companion::memory {

struct ChromaOptions
{
    QUrl url; // with /api/v2/tenants/…/databases/… where it is not the default tenant's default database
    QByteArray token = {};
    int connections = 16;
    std::chrono::milliseconds total{20'000};
};

// ChromaDB by its v2 REST interface: a collection for each user and embedder, "user_<id>.<mark of the embedder>". No
// text goes there: ids and vectors only.
class ChromaStore final : public VectorStore
{
    Q_OBJECT
public:
    explicit ChromaStore(const ChromaOptions &options, QObject *parent = nullptr);

    QString name() const override { return QStringLiteral("chroma"); }
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
    using Opened = std::function<void(const Result<QByteArray> &)>; // the collection's id; empty: there is none
    enum class Missing { Make, Leave };
    struct Try
    {
        std::optional<std::chrono::milliseconds> within = {};
        bool mayReopen = true;
    };
    void open(const QString &collection, Missing missing, const Try &how, QObject *context, Opened then);
    void listFrom(const QString &collection, const QByteArray &id, QList<MemoryId> ids, QObject *context, Ids then);
    void send(const llm::WireRequest &request, QObject *context, llm::WireClient::Then then);
    Refusal refusalOf(const llm::WireAnswer &answer) const;

    llm::WireClient m_client;
    llm::WireHealth m_health;
    QCache<QString, QByteArray> m_ids; // of collections, by their names
};

} // namespace companion::memory
