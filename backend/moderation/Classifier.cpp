#include "moderation/Classifier.h"

#include "common/describe/EnumText.h"

#include <QDataStream>
#include <QFile>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace companion::moderation {

namespace {

constexpr quint32 modelMagic = 0x434d4f44; // "CMOD"
constexpr qint32 modelFormat = 1;
constexpr int shortText_words = 60;
constexpr int judged_words = 45;
constexpr int fewest_words = 4; // of fewer too little is known to say anything; short deeds are the rules' to know
constexpr int turnsTogether = 4;

// FNV-1a; the kinds of features are kept apart by their first byte.
class Hash
{
public:
    explicit Hash(char kind) { add(kind); }
    Hash &add(char byte)
    {
        m_value = (m_value ^ static_cast<std::uint8_t>(byte)) * 16'777'619U;
        return *this;
    }
    Hash &add(std::string_view bytes)
    {
        for (const char byte : bytes)
            add(byte);
        return *this;
    }
    std::uint32_t slot() const { return (m_value * 2'654'435'769U) >> (32 - Features::bits); }

private:
    std::uint32_t m_value = 2'166'136'261U;
};

// A disguised word as what it most likely stands for; numbers by their size, for no number says much by itself.
std::string_view readingOf(const Word &word)
{
    if (word.number >= 0)
        return word.number < 18 ? "#1" : word.number < 100 ? "#2" : "#3";
    if (word.spelling.empty())
        return "*";
    return word.isDisguised && !word.variants.empty() ? std::string_view(word.variants.front())
                                                      : std::string_view(word.spelling);
}

void addPieces(std::string_view word, std::vector<std::uint32_t> &slots)
{
    if (word.size() < 3)
        return;
    const std::string framed = '_' + std::string(word) + '_';
    for (std::size_t length = 3; length <= 5; ++length)
        for (std::size_t at = 0; at + length <= framed.size(); ++at)
            slots.push_back(Hash('c').add(std::string_view(framed).substr(at, length)).slot());
}

void addWord(const std::vector<std::string_view> &words, std::size_t at, std::size_t start,
             std::vector<std::uint32_t> &slots)
{
    const std::string_view word = words[at];
    slots.push_back(Hash('w').add(word).slot());
    if (at >= start + 1)
        slots.push_back(Hash('b').add(words[at - 1]).add(' ').add(word).slot());
    if (at >= start + 2) {
        slots.push_back(Hash('t').add(words[at - 2]).add(' ').add(words[at - 1]).add(' ').add(word).slot());
        slots.push_back(Hash('s').add(words[at - 2]).add(' ').add(word).slot());
    }
    if (at >= start + 3)
        slots.push_back(Hash('s').add(words[at - 3]).add(' ').add(word).slot());
    if (at == start)
        slots.push_back(Hash('f').add(word).slot());
    addPieces(word, slots);
}

std::vector<int> sentenceStarts(const std::vector<Word> &words)
{
    std::vector<int> starts;
    for (std::size_t i = 0; i < words.size(); ++i)
        if (i == 0 || words[i].position > words[i - 1].position + 1)
            starts.push_back(static_cast<int>(i));
    return starts;
}

// Sentence by sentence, each with its successor; a sentence without end in pieces.
std::vector<Features::Window> windowsOf(const std::vector<Word> &words, const std::vector<int> &starts)
{
    const int size = static_cast<int>(words.size());
    std::vector<Features::Window> windows;
    if (size <= shortText_words)
        windows.push_back({0, size});
    for (std::size_t i = 0; i < starts.size() && starts.size() > 1; ++i) {
        const int end = i + 1 < starts.size() ? starts[i + 1] : size;
        const int second = i + 2 < starts.size() ? starts[i + 2] : size;
        windows.push_back({starts[i], std::min(end, starts[i] + judged_words)});
        if (second > end)
            windows.push_back({starts[i], std::min(second, starts[i] + judged_words)});
    }
    for (int first = 0; size > shortText_words && first < size; first += judged_words / 2)
        windows.push_back({first, std::min(first + judged_words, size)});
    return windows;
}

float probability(float margin)
{
    return 1.F / (1.F + std::exp(-margin));
}

std::vector<Word> wordsOfTurns(const Text &text)
{
    std::vector<Word> words;
    const auto append = [&](QStringView message) {
        auto more = wordsOf(message, words.empty() ? 0 : words.back().position + 4);
        words.insert(words.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    const auto &before = text.before;
    for (qsizetype i = std::max<qsizetype>(0, before.size() - turnsTogether + 1); i < before.size(); ++i)
        append(before[i]);
    append(text.text);
    return words;
}

} // namespace

Features Features::of(const std::vector<Word> &words)
{
    Features features;
    std::vector<std::string_view> readings;
    readings.reserve(words.size());
    for (const Word &word : words)
        readings.push_back(readingOf(word));
    const std::vector<int> starts = sentenceStarts(words);
    features.slots.reserve(words.size() * 20);
    features.from.reserve(words.size() + 1);
    std::size_t sentence = 0;
    for (std::size_t at = 0; at < words.size(); ++at) {
        while (sentence + 1 < starts.size() && static_cast<std::size_t>(starts[sentence + 1]) <= at)
            ++sentence;
        features.from.push_back(static_cast<std::uint32_t>(features.slots.size()));
        addWord(readings, at, static_cast<std::size_t>(starts[sentence]), features.slots);
    }
    features.from.push_back(static_cast<std::uint32_t>(features.slots.size()));
    features.windows = windowsOf(words, starts);
    return features;
}

Classifier::Classifier(QString version, std::vector<Head> heads)
    : m_version(std::move(version))
    , m_heads(std::move(heads))
{
}

QString Classifier::builtInFile()
{
    return QStringLiteral(":/companion/rules/model/classifier.bin");
}

std::expected<std::shared_ptr<const Classifier>, QString> Classifier::load(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return std::unexpected(QStringLiteral("%1: %2").arg(path, file.errorString()));
    return parse(file.readAll());
}

std::expected<std::shared_ptr<const Classifier>, QString> Classifier::parse(const QByteArray &bytes)
{
    QDataStream in(bytes);
    in.setVersion(QDataStream::Qt_6_4);
    in.setFloatingPointPrecision(QDataStream::SinglePrecision);
    quint32 magic = 0;
    qint32 format = 0;
    QString version;
    quint32 count = 0;
    in >> magic >> format >> version >> count;
    if (magic != modelMagic || format != modelFormat || count == 0 || count > 16)
        return std::unexpected(QStringLiteral("this is no classifier of format %1").arg(modelFormat));
    std::vector<Head> heads(count);
    for (Head &head : heads) {
        QString action;
        QByteArray weights;
        in >> head.name >> head.category >> action >> head.acrossTurns >> head.threshold >> head.bias >> head.scale
            >> weights;
        const auto known = fromText<Action>(action);
        if (in.status() != QDataStream::Ok || !known || weights.size() != qsizetype(1) << Features::bits)
            return std::unexpected(QStringLiteral("the classifier's file is damaged"));
        head.action = *known;
        head.weights.assign(weights.begin(), weights.end());
    }
    return std::make_shared<const Classifier>(version, std::move(heads));
}

QByteArray Classifier::toBytes() const
{
    QByteArray bytes;
    QDataStream out(&bytes, QIODevice::WriteOnly);
    out.setVersion(QDataStream::Qt_6_4);
    out.setFloatingPointPrecision(QDataStream::SinglePrecision);
    out << modelMagic << modelFormat << m_version << static_cast<quint32>(m_heads.size());
    for (const Head &head : m_heads)
        out << head.name << head.category << toText(head.action) << head.acrossTurns << head.threshold << head.bias
            << head.scale
            << QByteArray(reinterpret_cast<const char *>(head.weights.data()),
                          static_cast<qsizetype>(head.weights.size()));
    return bytes;
}

Classifier::Best Classifier::best(const Head &head, const Features &features) const
{
    // The sums up to each word: a window costs two look-ups.
    std::vector<int> sums;
    sums.reserve(features.from.size());
    int sum = 0;
    std::size_t slot = 0;
    for (const std::uint32_t from : features.from) {
        for (; slot < from; ++slot)
            sum += head.weights[features.slots[slot]];
        sums.push_back(sum);
    }
    Best best{-1e9F, {}};
    for (const Features::Window window : features.windows) {
        const auto count = static_cast<float>(features.count(window));
        if (count <= 0 || window.end - window.first < fewest_words)
            continue;
        const auto weight = static_cast<float>(sums[static_cast<std::size_t>(window.end)]
                                               - sums[static_cast<std::size_t>(window.first)]);
        const float margin = weight * head.scale / std::sqrt(count) + head.bias;
        if (margin > best.margin)
            best = {margin, window};
    }
    return best;
}

std::vector<Classifier::Judgement> Classifier::judge(const Text &text) const
{
    const std::vector<Word> words = wordsOf(text.text);
    const Features features = Features::of(words);
    std::vector<Judgement> judgements;
    for (const Head &head : m_heads) {
        Judgement judgement{&head, 0, 0, text.text.size()};
        if (const Best own = best(head, features); own.window.end > 0) {
            const Word &first = words[static_cast<std::size_t>(own.window.first)];
            const Word &last = words[static_cast<std::size_t>(own.window.end - 1)];
            judgement = {&head, probability(own.margin), first.start, last.start + last.length - first.start};
        }
        if (head.acrossTurns && !text.before.isEmpty()) {
            Features together = Features::of(wordsOfTurns(text));
            together.windows = {{0, static_cast<int>(together.from.size()) - 1}};
            const float score = probability(best(head, together).margin);
            if (score > judgement.score)
                judgement = {&head, score, 0, text.text.size()};
        }
        judgements.push_back(judgement);
    }
    return judgements;
}

std::optional<Classifier::Judgement> Classifier::find(const Text &text) const
{
    for (const Judgement &judgement : judge(text))
        if (judgement.score >= judgement.head->threshold)
            return judgement;
    return std::nullopt;
}

} // namespace companion::moderation
