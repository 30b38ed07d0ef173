#pragma once

#include "fakes/FakeLlmScript.h"

#include <QJsonObject>
#include <QList>

// The bytes of one answer, laid out beforehand: what to write, in which pieces, and how it ends.
struct FakeLlmAnswer
{
    enum class End { Properly, Cut, Stall, Endless };

    int status = 200;
    QByteArray contentType = {};
    QList<QByteArray> extraHeaders = {}; // "Retry-After: 2"
    bool chunked = false;
    QList<QByteArray> pieces = {}; // each written after `pace`
    End end = End::Properly;

    static FakeLlmAnswer make(const FakeLlmScript &script, const QJsonObject &request);
    // One token for each word with the blank before it; what usage counts unless the script says otherwise.
    static QStringList tokensOf(const FakeLlmScript &script);
    static int promptTokens(const QJsonObject &request); // 3 a message, and one for each 4 bytes begun
};
