#include "llm/rehearsal/RehearsalVoice.h"

#include "llm/rehearsal/RehearsalEcho.h"
#include "llm/rehearsal/RehearsalLines.h"
#include "llm/rehearsal/RehearsalScript.h"

#include <QCryptographicHash>
#include <QRandomGenerator>
#include <QtEndian>
#include <algorithm>

namespace companion::llm {

namespace {

quint32 seedOf(const Request &request)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(request.personaName.toUtf8());
    for (const ChatMessage &message : request.messages)
        hash.addData(QByteArray(QByteArray::number(int(message.role)) + message.content.toUtf8() + '\0'));
    return qFromLittleEndian<quint32>(hash.result().constData());
}

QStringList contentsOf(const QList<ChatMessage> &messages, ChatMessage::Role role)
{
    QStringList contents;
    for (const ChatMessage &message : messages) {
        if (message.role == role)
            contents.append(role == ChatMessage::Role::User ? RehearsalScript::withoutTriggers(message.content)
                                                            : message.content);
    }
    return contents;
}

// "your name is Sam, you love hiking and your dog is called Rex"
QString joined(const QStringList &facts)
{
    if (facts.size() < 2)
        return facts.join(QString());
    return facts.mid(0, facts.size() - 1).join(QStringLiteral(", ")) + u" and " + facts.last();
}

// One reply in the making.
class Voice
{
public:
    explicit Voice(const Request &request)
        : m_random(seedOf(request))
        , m_said(contentsOf(request.messages, ChatMessage::Role::Assistant))
        , m_persona(RehearsalPersona::read(contentsOf(request.messages, ChatMessage::Role::System).join(u'\n'),
                                           request.personaName))
    {
        QStringList heard = contentsOf(request.messages, ChatMessage::Role::User);
        m_message = heard.isEmpty() ? QString() : heard.takeLast();
        m_earlier = RehearsalMemory::read(heard);
        const RehearsalMemory now = RehearsalMemory::read({m_message});
        m_userName = now.userName.isEmpty() ? m_earlier.userName : now.userName;
        m_echo = echoOf(m_message);
    }

    QString reply()
    {
        const Intent intent = intentOf(m_message);
        QStringList parts{openingFor(intent), pick(linesFor(intent, m_persona)), recallFor(intent),
                          questionFor(intent)};
        parts.removeAll(QString());
        return sentenceCase(parts.join(u' '));
    }

private:
    QString filled(QString line, const QString &fact = {}) const
    {
        QStringList facts = m_earlier.facts.mid(std::max<qsizetype>(0, m_earlier.facts.size() - 4));
        if (!m_userName.isEmpty())
            facts.prepend(QStringLiteral("your name is ") + m_userName);
        line.replace(QLatin1StringView("{comma_name}"),
                     m_userName.isEmpty() ? QString() : QString(QStringLiteral(", ") + m_userName));
        const std::pair<const char *, QString> places[]{{"{me}", m_persona.name},
                                                        {"{name}", m_userName},
                                                        {"{echo}", m_echo},
                                                        {"{role}", m_persona.role},
                                                        {"{interest}", m_persona.interest},
                                                        {"{facts}", joined(facts)},
                                                        {"{fact}", fact}};
        for (const auto &[place, value] : places) {
            const QLatin1StringView name(place);
            if (!line.contains(name))
                continue;
            if (value.isEmpty())
                return {};
            line.replace(name, line.startsWith(name) ? sentenceCase(value) : value);
        }
        return line;
    }

    // Any line that can be filled and was not said before in this window; lines that take up the user's own words
    // are twice as likely.
    QString pick(const QStringList &lines, const QString &fact = {})
    {
        QStringList usable;
        QStringList fallback;
        for (const QString &line : lines) {
            const QString text = filled(line, fact);
            if (text.isEmpty())
                continue;
            fallback.append(text);
            if (wasSaid(text))
                continue;
            usable.append(text);
            if (line != text)
                usable.append(text);
        }
        const QStringList &from = usable.isEmpty() ? fallback : usable;
        return from.isEmpty() ? QString() : from.at(m_random.bounded(int(from.size())));
    }

    bool wasSaid(const QString &text) const
    {
        return std::ranges::any_of(m_said, [&](const QString &earlier) { return earlier.contains(text); });
    }

    QString openingFor(Intent intent)
    {
        using enum Intent;
        static constexpr Intent straight[]{Distress, AskAi, German, Spanish, Greeting, Goodbye, Unclear, Story};
        if (std::ranges::find(straight, intent) != std::end(straight) || m_random.bounded(5) < 2)
            return {};
        return pick(openingsFor(m_persona.tone));
    }

    // An advance that was declined is not asked after.
    QString questionFor(Intent intent)
    {
        if (intent == Intent::Flirt && !m_persona.spicy)
            return {};
        return pick(questionsFor(intent, m_persona.tone));
    }

    // Now and then something the user said earlier comes back.
    QString recallFor(Intent intent)
    {
        using enum Intent;
        static constexpr Intent fitting[]{Statement, Question, Advice, Plans, Sad, Happy, Worried, AskSelf};
        QStringList untold = m_earlier.facts;
        untold.removeIf([&](const QString &fact) { return fact == m_echo || wasSaid(fact); });
        const bool fits = std::ranges::find(fitting, intent) != std::end(fitting);
        if (!fits || untold.isEmpty() || m_random.bounded(2) == 0)
            return {};
        return pick(recallLines(), untold.at(m_random.bounded(int(untold.size()))));
    }

    static QString sentenceCase(const QString &text)
    {
        return text.isEmpty() ? text : text.at(0).toUpper() + text.mid(1);
    }

    QRandomGenerator m_random;
    QStringList m_said;
    RehearsalPersona m_persona;
    QString m_message;
    RehearsalMemory m_earlier;
    QString m_userName;
    QString m_echo;
};

} // namespace

QString rehearsalReply(const Request &request)
{
    return Voice(request).reply();
}

} // namespace companion::llm
