#include "llm/LanguageModel.h"

namespace companion::llm {

int estimateTokens(QStringView text)
{
    return int(text.size());
}

int estimateTokens(const QList<ChatMessage> &messages)
{
    int sum = 3;
    for (const ChatMessage &message : messages)
        sum += 4 + estimateTokens(message.content);
    return sum;
}

} // namespace companion::llm
