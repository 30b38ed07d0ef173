#include "memory/embedders/WordVectors.h"

#include "common/Ensure.h"
#include "memory/embedders/WordTable.h"
#include "memory/retrieval/Terms.h"

#include <QTimer>
#include <QtEndian>
#include <cmath>
#include <string>

namespace companion::memory {

namespace {

constexpr quint16 freeSlot = 0xffff;

quint32 hashOfWord(std::string_view word)
{
    quint32 h = 0x811c9dc5; // FNV-1a, 32 bits, as the script that makes the table
    for (const char c : word)
        h = (h ^ static_cast<uchar>(c)) * 0x01000193U;
    return h;
}

float lengthOf(const Vector &vector)
{
    float sum = 0;
    for (const float x : vector)
        sum += x * x;
    return std::sqrt(sum);
}

} // namespace

// The table where it lies, see tools/make-word-vectors. The arrays are little-endian, as is every machine this runs on.
struct WordVectors::Table
{
    quint32 words = 0;
    quint32 dimension = 0;
    quint32 slots = 0;
    const float *common = nullptr;
    const float *scale = nullptr;
    const float *weight = nullptr;
    const quint32 *start = nullptr;
    const quint16 *slot = nullptr;
    const qint8 *rows = nullptr;
    const char *text = nullptr;

    Table();
    std::string_view wordAt(quint16 i) const { return {text + start[i], start[i + 1] - start[i]}; }
    quint16 find(std::string_view word) const;
    void add(quint16 word, float times, Vector &sum) const;
};

WordVectors::Table::Table()
{
    static_assert(Q_BYTE_ORDER == Q_LITTLE_ENDIAN);
    const QByteArrayView bytes = wordTableBytes();
    const char *at = bytes.data();
    ensure(bytes.startsWith("CWV1"), "the word vectors are a CWV1 table");
    const auto *head = reinterpret_cast<const quint32 *>(at + 4);
    words = head[0];
    dimension = head[1];
    slots = head[2];
    at += 20;
    const auto take = [&at]<class T>(const T *&array, size_t count) {
        array = reinterpret_cast<const T *>(at);
        at += count * sizeof(T);
    };
    take(common, dimension);
    take(scale, words);
    take(weight, words);
    take(start, words + 1);
    take(slot, slots);
    take(rows, size_t(words) * dimension);
    text = at + (4 - size_t(words) * dimension % 4) % 4;
    ensure(text + head[3] == bytes.data() + bytes.size(), "the word vectors are whole");
}

quint16 WordVectors::Table::find(std::string_view word) const
{
    for (quint32 at = hashOfWord(word) % slots; slot[at] != freeSlot; at = (at + 1) % slots)
        if (wordAt(slot[at]) == word)
            return slot[at];
    return freeSlot;
}

void WordVectors::Table::add(quint16 word, float times, Vector &sum) const
{
    const qint8 *row = rows + size_t(word) * dimension;
    const float factor = times * scale[word];
    for (quint32 d = 0; d < dimension; ++d)
        sum[d] += factor * float(row[d]);
}

WordVectors::WordVectors()
    : m_table(std::make_unique<Table>())
{
}

WordVectors::~WordVectors() = default;

const WordVectors &WordVectors::builtIn()
{
    static const WordVectors vectors;
    return vectors;
}

EmbedderIdentity WordVectors::identity() const
{
    return {QStringLiteral("glove-sif-100/1"), int(m_table->dimension)};
}

Vector WordVectors::embed(QStringView text) const
{
    Vector sum(m_table->dimension, 0.0F);
    for (const QString &word : wordsOf(text)) {
        const quint16 i = m_table->find(word.toStdString());
        if (i != freeSlot)
            m_table->add(i, m_table->weight[i], sum);
    }
    const float length = lengthOf(sum);
    if (length < 1e-6F)
        return Vector(m_table->dimension, 0.0F);
    float along = 0;
    for (quint32 d = 0; d < m_table->dimension; ++d)
        along += sum[d] * m_table->common[d];
    for (quint32 d = 0; d < m_table->dimension; ++d)
        sum[d] -= along * m_table->common[d];
    const float rest = lengthOf(sum);
    for (float &x : sum)
        x = rest > 1e-6F ? x / rest : 0.0F;
    return sum;
}

bool WordVectors::knows(QStringView word) const
{
    return m_table->find(word.toString().toStdString()) != freeSlot;
}

namespace {

class LocalEmbedding final : public Embedding
{
public:
    LocalEmbedding(Vectors vectors, QObject *parent)
        : Embedding()
    {
        setParent(parent);
        QTimer::singleShot(0, this, [this, vectors = std::move(vectors)] { finish(vectors); });
    }
    void stop() override { m_stopped = true; }

private:
    void finish(const Vectors &vectors)
    {
        if (m_stopped)
            Q_EMIT finished(refuse(ErrorCode::ModelFailed, QStringLiteral("The embedding was stopped.")));
        else
            Q_EMIT finished(vectors);
        deleteLater();
    }
    bool m_stopped = false;
};

class BuiltInEmbedder final : public Embedder
{
public:
    explicit BuiltInEmbedder(QObject *parent) { setParent(parent); }
    EmbedderIdentity identity() const override { return WordVectors::builtIn().identity(); }
    const LocalEmbedder *local() const override { return &WordVectors::builtIn(); }
    std::pair<QString, QString> health() const override
    {
        return {QStringLiteral("ok"), QStringLiteral("built-in word vectors, English")};
    }
    Embedding *start(const QStringList &texts) override
    {
        Vectors vectors;
        for (const QString &text : texts)
            vectors.push_back(WordVectors::builtIn().embed(text));
        return new LocalEmbedding(std::move(vectors), this);
    }
};

} // namespace

Embedder *makeLocalEmbedder(QObject *parent)
{
    return new BuiltInEmbedder(parent);
}

} // namespace companion::memory
