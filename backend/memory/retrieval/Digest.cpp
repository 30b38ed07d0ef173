#include "memory/retrieval/Digest.h"

#include <QtEndian>

namespace companion::memory {

namespace {

constexpr quint8 encodingVersion = termsVersion;

class ByteWriter
{
public:
    template <class T>
    void put(T value)
    {
        const T little = qToLittleEndian(value);
        m_bytes.append(reinterpret_cast<const char *>(&little), sizeof little);
    }
    QByteArray take() { return std::move(m_bytes); }

private:
    QByteArray m_bytes;
};

class ByteReader
{
public:
    explicit ByteReader(QByteArrayView bytes)
        : m_bytes(bytes)
    {
    }
    template <class T>
    T get()
    {
        if (m_bytes.size() - m_at < qsizetype(sizeof(T))) {
            m_short = true;
            return {};
        }
        const T value = qFromLittleEndian<T>(m_bytes.data() + m_at);
        m_at += sizeof(T);
        return value;
    }
    bool isWhole() const { return !m_short && m_at == m_bytes.size(); }
    bool isShort() const { return m_short; }

private:
    QByteArrayView m_bytes;
    qsizetype m_at = 0;
    bool m_short = false;
};

quint64 samenessOf(const std::vector<QString> &words)
{
    quint64 h = 0xcbf29ce484222325;
    for (const QString &word : words) {
        for (const QChar c : word)
            h = (h ^ c.unicode()) * 0x100000001b3;
        h = (h ^ 0x20) * 0x100000001b3;
    }
    return h;
}

} // namespace

Digest digestOf(QStringView text, const QDate &said)
{
    Digest digest;
    digest.terms = termsOf(text);
    for (const DatedPhrase &phrase : datesIn(text, said))
        digest.dates.push_back(phrase.span);
    digest.sameness = samenessOf(wordsOf(text));
    digest.isQuestion = text.trimmed().endsWith(u'?');
    return digest;
}

QByteArray encode(const Digest &digest)
{
    ByteWriter out;
    out.put(encodingVersion);
    out.put(quint8(digest.isQuestion));
    out.put(digest.sameness);
    const auto dates = std::min<size_t>(digest.dates.size(), 255);
    out.put(quint8(dates));
    for (size_t i = 0; i < dates; ++i) {
        out.put(qint32(digest.dates[i].first.toJulianDay()));
        out.put(qint32(digest.dates[i].last.toJulianDay()));
    }
    out.put(quint16(digest.terms.size()));
    for (const TermId term : digest.terms)
        out.put(term);
    return out.take();
}

std::optional<Digest> decodeDigest(QByteArrayView bytes)
{
    ByteReader in(bytes);
    if (in.get<quint8>() != encodingVersion)
        return std::nullopt;
    Digest digest;
    digest.isQuestion = in.get<quint8>() != 0;
    digest.sameness = in.get<quint64>();
    digest.dates.resize(in.get<quint8>());
    for (DateSpan &span : digest.dates) {
        span.first = QDate::fromJulianDay(in.get<qint32>());
        span.last = QDate::fromJulianDay(in.get<qint32>());
    }
    const quint16 terms = in.get<quint16>();
    if (in.isShort())
        return std::nullopt;
    digest.terms.resize(terms);
    for (TermId &term : digest.terms)
        term = in.get<TermId>();
    return in.isWhole() ? std::optional(digest) : std::nullopt;
}

} // namespace companion::memory
