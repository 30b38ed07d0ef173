#include "llm/RehearsalModel.h"

#include "llm/rehearsal/RehearsalGeneration.h"
#include "llm/rehearsal/RehearsalTokens.h"
#include "llm/rehearsal/RehearsalVoice.h"

namespace companion::llm {

namespace {

QString lastUserText(const Request &request)
{
    for (auto it = request.messages.crbegin(); it != request.messages.crend(); ++it) {
        if (it->role == ChatMessage::Role::User)
            return it->content;
    }
    return {};
}

} // namespace

RehearsalModel::RehearsalModel(const RehearsalOptions &options, QObject *parent)
    : m_options(options)
{
    setParent(parent);
}

Generation *RehearsalModel::start(const Request &request)
{
    const RehearsalScript script =
        m_options.triggers ? RehearsalScript::parse(lastUserText(request)) : RehearsalScript();
    QStringList tokens = rehearsalTokens(script.say ? *script.say : rehearsalReply(request));
    if (script.tokens)
        tokens = exactlyTokens(tokens, *script.tokens);
    else if (script.cut && tokens.size() < *script.cut)
        tokens = exactlyTokens(tokens, *script.cut);

    RehearsalPlan plan{.tokens = tokens,
                       .script = script,
                       .promptTokens = rehearsalPromptTokens(request.messages),
                       .maxTokens = request.maxTokens,
                       .pace = m_options.pace,
                       .model = name()};
    return new RehearsalGeneration(plan, this);
}

QString RehearsalModel::name() const
{
    return QStringLiteral("rehearsal");
}

std::pair<QString, QString> RehearsalModel::health() const
{
    return {QStringLiteral("ok"), QStringLiteral("the built-in rehearsal model: no language model is configured")};
}

} // namespace companion::llm
