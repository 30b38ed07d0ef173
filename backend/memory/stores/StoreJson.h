#pragma once

#include "llm/wire/WireClient.h"
#include "memory/VectorStore.h"

#include <QJsonObject>

namespace companion::memory {

QByteArray bodyOf(const QJsonObject &object);
QByteArray numbersOf(const Vector &vector); // "[0.1,…]", in as many digits as a float has

// A short mark for an embedder, to be part of a name: the same embedder always gets the same.
QString markOf(const QString &embedder);

Refusal refusalOf(const llm::WireAnswer &answer, const QString &store);

} // namespace companion::memory
