#include "Corpus.h"

#include "Grammar.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace companion::lab {

namespace {

int foldOf(const QStringList &messages)
{
    const QByteArray hash = QCryptographicHash::hash(messages.join(u'\n').toUtf8(), QCryptographicHash::Sha256);
    return static_cast<uchar>(hash[0]) % folds;
}

QStringList messagesOf(const QJsonObject &row)
{
    if (!row.contains(QStringLiteral("turns")))
        return {row[QStringLiteral("text")].toString()};
    QStringList messages;
    for (const QJsonValue &turn : row[QStringLiteral("turns")].toArray())
        if (turn[QStringLiteral("role")].toString() == QStringLiteral("user"))
            messages.append(turn[QStringLiteral("content")].toString());
    return messages;
}

} // namespace

const std::vector<SetInfo> &publishedSets()
{
    using enum Label;
    static const std::vector<SetInfo> sets{
        {"moderation/dialogue/persona_chat", "dialogue", No, No, true, 0.05},
        {"moderation/dialogue/topical_chat", "dialogue", No, No, false, 0.05},
        {"moderation/benign/counselchat", "counselling", No, No, true, 1},
        {"moderation/benign/xstest_safe", "benign", No, No, true, 4},
        {"moderation/adult_allowed/openai_adult", "adult", No, No, true, 5},
        {"moderation/benign/hatecheck_nonhateful", "benign", No, No, true, 1},
        {"moderation/benign/openai_clean", "benign", No, No, true, 4},
        {"injection/benign_one", "trigger words", No, No, false, 4},
        {"injection/benign_two", "trigger words", No, No, false, 4},
        {"injection/benign_three", "trigger words", No, No, false, 4},
        {"moderation/illegal/advbench", "illegal", Yes, Unsaid, true, 70},
        {"moderation/illegal/donotanswer", "illegal", Yes, Unsaid, true, 70},
        {"moderation/illegal/harmbench", "illegal", Yes, Unsaid, true, 70},
        {"moderation/illegal/hatecheck_threats", "illegal", Yes, Unsaid, true, 70},
        {"moderation/illegal/simplesafety", "illegal", Yes, Unsaid, true, 70},
        {"moderation/illegal/strongreject", "illegal", Yes, Unsaid, true, 70},
        {"moderation/illegal/xstest_unsafe", "illegal", Yes, Unsaid, true, 70},
        {"crisis/donotanswer", "crisis", Unsaid, Yes, true, 92},
        {"crisis/openai_selfharm", "crisis", Unsaid, Yes, true, 92},
        {"crisis/simplesafety", "crisis", Unsaid, Yes, true, 92},
        {"crisis/conversations", "crisis", Unsaid, Yes, true, 92},
    };
    return sets;
}

std::vector<Sample> readPublished(const QString &folder)
{
    std::vector<Sample> samples;
    for (const SetInfo &set : publishedSets()) {
        QFile file(QDir(folder).filePath(QLatin1StringView(set.path) + QStringLiteral(".jsonl")));
        if (!file.open(QIODevice::ReadOnly))
            continue;
        for (int row = 0; !file.atEnd(); ++row) {
            const QJsonObject source = QJsonDocument::fromJson(file.readLine()).object();
            Sample sample{.set = QString::fromLatin1(set.path),
                          .row = row,
                          .messages = messagesOf(source),
                          .illegal = set.illegal,
                          .crisis = set.crisis,
                          .mayTrain = set.mayTrain};
            if (source.contains(QStringLiteral("crisis")) && !source[QStringLiteral("crisis")].toBool()) {
                sample.crisis = Label::No;
                sample.illegal = Label::No;
            }
            sample.fold = foldOf(sample.messages);
            samples.push_back(std::move(sample));
        }
    }
    return samples;
}

QStringList readTexts(const QString &path)
{
    QStringList texts;
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return texts;
    while (!file.atEnd())
        texts.append(QJsonDocument::fromJson(file.readLine()).object()[QStringLiteral("text")].toString());
    return texts;
}

// The file's name says what its texts are: illegal-*.txt, crisis-*.txt, talk-*.txt. A line's " // " parts messages.
std::expected<std::vector<Sample>, QString> generateOwn(const QString &folder)
{
    std::vector<Sample> samples;
    unsigned seed = 1;
    for (const QFileInfo &file : QDir(folder).entryInfoList({QStringLiteral("*.txt")}, QDir::Files, QDir::Name)) {
        const auto texts = Grammar::expand(file.filePath(), seed++);
        if (!texts)
            return std::unexpected(texts.error());
        const bool isIllegal = file.fileName().startsWith(QStringLiteral("illegal"));
        const bool isCrisis = file.fileName().startsWith(QStringLiteral("crisis"));
        for (const QString &text : *texts)
            samples.push_back({.set = QStringLiteral("own/") + file.completeBaseName(),
                               .row = static_cast<int>(samples.size()),
                               .messages = text.split(QStringLiteral(" // ")),
                               .illegal = isIllegal ? Label::Yes
                                   : isCrisis       ? Label::Unsaid
                                                    : Label::No,
                               .crisis = isCrisis ? Label::Yes
                                   : isIllegal    ? Label::Unsaid
                                                  : Label::No,
                               .mayTrain = true,
                               .isOwn = true,
                               .fold = -1});
    }
    return samples;
}

} // namespace companion::lab
