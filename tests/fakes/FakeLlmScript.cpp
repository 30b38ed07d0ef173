#include "fakes/FakeLlmScript.h"

#include <QRegularExpression>

FakeLlmScript FakeLlmScript::parse(const QString &text)
{
    FakeLlmScript script;
    QString rest = text.trimmed();
    static const QRegularExpression say(QStringLiteral(R"((?:^|[\s;])say=(.*)$)"),
                                        QRegularExpression::DotMatchesEverythingOption);
    if (const auto match = say.match(rest); match.hasMatch()) {
        script.m_words.insert(QStringLiteral("say"), match.captured(1));
        rest.truncate(match.capturedStart());
    }
    static const QRegularExpression border(QStringLiteral(R"([\s;]+)"));
    for (const QString &word : rest.split(border, Qt::SkipEmptyParts))
        script.m_words.insert(word.section(u'=', 0, 0), word.section(u'=', 1));
    return script;
}

int FakeLlmScript::number(const char *word, int otherwise) const
{
    bool ok = false;
    const int value = text(word).toInt(&ok);
    return ok ? value : otherwise;
}
