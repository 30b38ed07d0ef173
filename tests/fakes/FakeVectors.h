#pragma once

#include "fakes/FakeWire.h"

#include <QJsonObject>
#include <QMap>

namespace companion::test {

// Speaks OpenAI's embeddings. A text's vector is made of its words alone, so that texts with common words are near each
// other; another model makes another vector of the same words.
class FakeEmbeddings
{
public:
    explicit FakeEmbeddings(int vectorLength = 1536);

    QUrl url() const { return wire.url(); } // the base: "/embeddings" is below it
    static std::vector<float> vectorOf(const QString &text, const QString &model, int dimension);

    int dimension;
    bool floats = false; // answers lists of numbers whatever was asked for
    bool shuffled = false; // answers in another order than asked, with indexes
    int nextStatus = 0; // the next answer is this, once
    bool down = false; // every answer is 500
    QByteArray spoiled = {}; // answered instead, while it is not empty
    int largestRequest = 0; // texts in one
    int texts = 0; // embedded in all
    FakeWire wire;

private:
    FakeWire::Answer answer(const FakeWire::Request &request);
};

// Speaks the data plane of a Pinecone index with a fixed dimension and cosine as its metric: upsert, query (with
// $eq filters on metadata), fetch, list by prefix with pagination, delete by ids and of a whole namespace, statistics.
class FakePinecone
{
public:
    struct Record
    {
        std::vector<float> values;
        QJsonObject metadata;
    };

    explicit FakePinecone(int vectorLength);

    QUrl url() const { return wire.url(); }
    int records() const; // in all namespaces

    int dimension;
    QByteArray apiKey = "pinecone-key";
    QMap<QString, QMap<QString, Record>> namespaces;
    FakeWire wire;

private:
    FakeWire::Answer answer(const FakeWire::Request &request);
    FakeWire::Answer upsert(const QJsonObject &body);
    FakeWire::Answer query(const QJsonObject &body) const;
    FakeWire::Answer remove(const QJsonObject &body);
    FakeWire::Answer list(const QUrlQuery &query) const;
    FakeWire::Answer fetch(const QUrlQuery &query) const;
    FakeWire::Answer statistics() const;
};

} // namespace companion::test
