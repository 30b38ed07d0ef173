#include "llm/LanguageModel.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTextStream>

// Reads a JSON array of texts, writes the array of their estimated token counts: for token_estimate.cjs.
int main()
{
    QFile in;
    if (!in.open(stdin, QIODevice::ReadOnly))
        return 1;
    QJsonArray counts;
    for (const QJsonValue &text : QJsonDocument::fromJson(in.readAll()).array())
        counts.append(companion::llm::estimateTokens(QStringView(text.toString())));
    QTextStream(stdout) << QJsonDocument(counts).toJson(QJsonDocument::Compact) << Qt::endl;
    return 0;
}
