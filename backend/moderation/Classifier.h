#pragma once

#include "moderation/Screen.h"
#include "moderation/Words.h"

#include <cstdint>
#include <expected>
#include <vector>

namespace companion::moderation {

// What the classifier sees of a text: hashed pieces of words and of their neighbourhood, each filed under the word it
// ends in, and the windows that are judged by themselves: up to two sentences, and the whole where it is short. The
// trainer (tools/moderation) and the classifier use this very code.
struct Features
{
    static constexpr int bits = 18;

    std::vector<std::uint32_t> slots;
    std::vector<std::uint32_t> from; // by word, and the end: where its slots begin

    struct Window
    {
        int first = 0; // words, `end` not included
        int end = 0;
    };
    std::vector<Window> windows;

    static Features of(const std::vector<Word> &words);
    std::size_t count(Window window) const
    {
        return from[static_cast<std::size_t>(window.end)] - from[static_cast<std::size_t>(window.first)];
    }
};

// A linear model over hashed features, one head for each thing it looks for. Its file is made by tools/moderation;
// docs/moderation.md has the form. Immutable, safe on any thread.
class Classifier
{
public:
    struct Head
    {
        QString name; // illegal, crisis
        QString category; // of its verdicts
        Action action = Action::Block;
        bool acrossTurns = false; // the last few messages are read together as well
        float threshold = 1; // a score from here on is a hit; 0 to 1
        float bias = 0;
        float scale = 1; // of the weights
        std::vector<std::int8_t> weights = {}; // 2^Features::bits
    };
    struct Judgement
    {
        const Head *head = nullptr;
        float score = 0;
        qsizetype start = 0; // the words that weighed most, UTF-16 code units in the text
        qsizetype length = 0;
    };

    static QString builtInFile();
    static std::expected<std::shared_ptr<const Classifier>, QString> load(const QString &file = builtInFile());
    static std::expected<std::shared_ptr<const Classifier>, QString> parse(const QByteArray &bytes);
    Classifier(QString version, std::vector<Head> heads);
    QByteArray toBytes() const;

    // By head, in their order: the score of its weightiest window.
    std::vector<Judgement> judge(const Text &text) const;
    // The first head whose threshold is reached.
    std::optional<Judgement> find(const Text &text) const;

    const std::vector<Head> &heads() const { return m_heads; }
    const QString &version() const { return m_version; }

private:
    struct Best
    {
        float margin = 0;
        Features::Window window;
    };
    Best best(const Head &head, const Features &features) const;

    QString m_version;
    std::vector<Head> m_heads;
};

} // namespace companion::moderation
