#pragma once

#include "api/Endpoint.h"

namespace companion::api {

// Pieces of the document that follow from one endpoint, or from none.

QJsonObject componentReference(const char *kind, const QString &name); // {"$ref": "#/components/KIND/NAME"}
void addHeaders(QJsonObject &headers, std::initializer_list<const char *> names);
// Only those that are used: a component that nobody refers to is a mistake to the document's linters.
QJsonObject usedHeaders(const QJsonObject &paths, const QJsonObject &responses);
QJsonArray parametersOf(const Endpoint &endpoint);
QStringList rolesOf(const Endpoint &endpoint); // of an operator's endpoint
QString descriptionOf(const Endpoint &endpoint);
QJsonArray securityOf(const Endpoint &endpoint);
QJsonObject securitySchemes();
QJsonArray tagsOf(const QList<Endpoint> &endpoints);
QJsonObject information();

} // namespace companion::api
