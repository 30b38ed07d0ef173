#pragma once

#include <QJsonObject>

namespace companion::api {

// Gives every schema that has a title (a model's name) one place in components/schemas and puts a $ref where it stood.
// Lists of a model are named after it: a Page of Device is DevicePage. Answers come first; then the bodies of requests,
// which allow no unknown field: a model that is used both ways gets a second place, named …Input.
class SchemaPlaces
{
public:
    QJsonObject ofAnswer(const QJsonObject &schema) { return place(schema, false).toObject(); }
    QJsonObject ofBody(const QJsonObject &schema) { return place(schema, true).toObject(); }
    const QJsonObject &places() const { return m_places; }

private:
    QJsonValue place(const QJsonValue &value, bool closed);
    QJsonObject placeTitled(QJsonObject schema, bool closed);

    QJsonObject m_places;
};

// An example that fits: the fields' own `examples`, else by the field's name, else made from type, format and bounds.
// Of optional fields only those are shown that have an example of their own (all known names where nothing is
// required).
QJsonValue exampleOf(const QJsonObject &schema, const QString &name = {});

// What no model describes.
QJsonObject problemSchema();
QJsonObject openAiErrorBodySchema();
QJsonObject openAiErrorSchema();

} // namespace companion::api
