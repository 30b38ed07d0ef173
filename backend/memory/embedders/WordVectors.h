#pragma once

#include "memory/Embedder.h"

#include <memory>

namespace companion::memory {

// The built-in embedder: a weighted mean of word vectors (GloVe, 100 dimensions, the 50,000 most frequent English
// words) after Arora, Liang, Ma: "A simple but tough-to-beat baseline for sentence embeddings" (SIF). The table is a
// resource, mapped once. A text takes microseconds.
class WordVectors final : public LocalEmbedder
{
public:
    // The table of this program; one for the whole process.
    static const WordVectors &builtIn();

    EmbedderIdentity identity() const override; // "glove-sif-100/1"
    Vector embed(QStringView text) const override;
    bool knows(QStringView word) const override;

    ~WordVectors() override;

private:
    WordVectors();
    struct Table;
    std::unique_ptr<Table> m_table;
};

// The same as an Embedder: answers in the next round of the event loop. The caller owns it.
Embedder *makeLocalEmbedder(QObject *parent = nullptr);

} // namespace companion::memory
