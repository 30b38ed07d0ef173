#include "memory/stores/StoreJson.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <charconv>

namespace companion::memory {

using namespace Qt::StringLiterals;

QByteArray bodyOf(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QByteArray numbersOf(const Vector &vector)
{
    QByteArray text = "[";
    text.reserve(qsizetype(vector.size()) * 13);
    char digits[32];
    for (const float x : vector) {
        if (text.size() > 1)
            text += ',';
        const auto end = std::to_chars(digits, digits + sizeof digits, x);
        text.append(digits, end.ptr - digits);
    }
    return text + ']';
}

QString markOf(const QString &embedder)
{
    return QString::fromLatin1(
        QCryptographicHash::hash(embedder.toUtf8(), QCryptographicHash::Sha256).toHex().left(12));
}

Refusal refusalOf(const llm::WireAnswer &answer, const QString &store)
{
    const bool busy = answer.status == 429 || answer.status == 503;
    return {.code = answer.timedOut ? ErrorCode::ModelTimeout
                : busy              ? ErrorCode::Overloaded
                                    : ErrorCode::ModelFailed,
            .detail = u"The store of memories failed to answer."_s,
            .log = store + u": "_s + answer.problem};
}

} // namespace companion::memory
