#include "payments/SoundJson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSet>

#include <vector>

namespace companion::payments {

namespace {

constexpr size_t deepest = 64;

// The string that begins at `from`, quotes and all. The text is known to be JSON.
QByteArray stringAt(const QByteArray &text, qsizetype from)
{
    qsizetype end = from + 1;
    while (text[end] != '"')
        end += text[end] == '\\' ? 2 : 1;
    return text.mid(from, end - from + 1);
}

QString decoded(const QByteArray &string)
{
    return QJsonDocument::fromJson('[' + string + ']').array().first().toString();
}

// Of a text that is known to be JSON: no name twice in one object, not too deep.
bool isUnambiguous(const QByteArray &text)
{
    std::vector<std::optional<QSet<QString>>> open; // an object's names so far; none for an array
    bool nameIsNext = false;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '{' || c == '[') {
            open.push_back(c == '{' ? std::optional(QSet<QString>()) : std::nullopt);
            nameIsNext = c == '{';
        } else if (c == '}' || c == ']') {
            open.pop_back();
            nameIsNext = false;
        } else if (c == ',') {
            nameIsNext = open.back().has_value();
        } else if (c == '"') {
            const QByteArray string = stringAt(text, i);
            i += string.size() - 1;
            if (!nameIsNext)
                continue;
            nameIsNext = false;
            const QString name = decoded(string);
            if (open.back()->contains(name))
                return false;
            open.back()->insert(name);
        }
        if (open.size() > deepest)
            return false;
    }
    return true;
}

} // namespace

std::optional<QJsonObject> readSoundJson(const QByteArray &text)
{
    const QJsonDocument document = QJsonDocument::fromJson(text);
    if (!document.isObject() || !isUnambiguous(text))
        return std::nullopt;
    return document.object();
}

} // namespace companion::payments
