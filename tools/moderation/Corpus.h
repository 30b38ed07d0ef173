#pragma once

#include <QStringList>

#include <expected>
#include <optional>
#include <vector>

namespace companion::lab {

enum class Label { No, Yes, Unsaid };

// A text (or the messages of a user in one conversation, oldest first) and what is known of it.
struct Sample
{
    QString set;
    int row = 0;
    QStringList messages;
    Label illegal = Label::No;
    Label crisis = Label::No;
    bool mayTrain = false;
    bool isOwn = false; // generated here: in every training, in no figure
    int fold = 0; // by hash of the text
};

constexpr int folds = 5;

struct SetInfo
{
    const char *path;
    const char *group; // of the report
    Label illegal;
    Label crisis;
    bool mayTrain;
    double goal; // percent; what may be hit of it, or must be
};

const std::vector<SetInfo> &publishedSets();
// Those that are there; harmful texts are never printed and never copied.
std::vector<Sample> readPublished(const QString &folder);
QStringList readTexts(const QString &file);
std::expected<std::vector<Sample>, QString> generateOwn(const QString &folder);

} // namespace companion::lab
