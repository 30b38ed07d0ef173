#include "llm/rehearsal/RehearsalScript.h"

#include <QRegularExpression>

namespace companion::llm {

namespace {

constexpr int mostTokens = 100'000;
constexpr std::chrono::milliseconds longest{300'000};

std::optional<std::chrono::milliseconds> duration(const QString &text)
{
    static const QRegularExpression shape(QStringLiteral(R"(^(\d{1,6}(?:\.\d{1,3})?) ?(ms|s)$)"));
    const auto match = shape.match(text);
    if (!match.hasMatch())
        return std::nullopt;
    const double factor = match.captured(2) == QLatin1StringView("s") ? 1000 : 1;
    const std::chrono::milliseconds value(qint64(match.captured(1).toDouble() * factor));
    return value <= longest ? std::optional(value) : std::nullopt;
}

std::optional<int> count(const QString &text, int least)
{
    bool ok = false;
    const int value = text.toInt(&ok);
    return ok && value >= least && value <= mostTokens ? std::optional(value) : std::nullopt;
}

template <class T>
void setIfRead(std::optional<T> &place, const std::optional<T> &value)
{
    if (value)
        place = value;
}

void obey(RehearsalScript &script, const QString &verb, const QString &argument)
{
    if (verb == QLatin1StringView("fail"))
        script.fail = script.fail || argument.isEmpty();
    else if (verb == QLatin1StringView("slow"))
        setIfRead(script.slow, duration(argument));
    else if (verb == QLatin1StringView("cut"))
        setIfRead(script.cut, count(argument, 0));
    else if (verb == QLatin1StringView("tokens"))
        setIfRead(script.tokens, count(argument, 1));
    else if (verb == QLatin1StringView("say") && !argument.isEmpty())
        script.say = argument;
}

} // namespace

RehearsalScript RehearsalScript::parse(const QString &message)
{
    static const QRegularExpression trigger(QStringLiteral(R"(\[\[rehearse:\s*([a-z]+)(?:\s+(.*?))?\s*\]\])"),
                                            QRegularExpression::DotMatchesEverythingOption);
    RehearsalScript script;
    for (auto matches = trigger.globalMatch(message); matches.hasNext();) {
        const auto match = matches.next();
        obey(script, match.captured(1), match.captured(2));
    }
    return script;
}

QString RehearsalScript::withoutTriggers(const QString &message)
{
    static const QRegularExpression anything(QStringLiteral(R"(\[\[.*?\]\])"),
                                             QRegularExpression::DotMatchesEverythingOption);
    return QString(message).remove(anything).simplified();
}

} // namespace companion::llm
