#include "app/ApiPage.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMap>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

constexpr char style[] = R"(
:root { color-scheme: light dark; --text: #14171C; --soft: #5B6472; --line: #E3E6EB; --page: #F6F7F9; --card: #FFF; --accent: #3B5BDB; }
@media (prefers-color-scheme: dark) { :root { --text: #E8EBF0; --soft: #9AA4B2; --line: #2A303A; --page: #111418; --card: #181C22; --accent: #7C93FF; } }
body { margin: 0 auto; max-width: 960px; padding: 32px 24px; background: var(--page); color: var(--text); font: 14px/1.5 "Noto Sans", system-ui, sans-serif; }
h1 { font-size: 22px; } h2 { font-size: 16px; margin: 32px 0 8px; } p { color: var(--soft); }
details { background: var(--card); border: 1px solid var(--line); border-radius: 6px; margin: 4px 0; }
summary { padding: 8px 12px; cursor: pointer; display: flex; gap: 12px; align-items: baseline; }
summary b { color: var(--accent); width: 56px; flex: none; font-size: 12px; } summary span { color: var(--soft); margin-left: auto; text-align: right; }
code, pre { font: 12px/1.5 "Noto Sans Mono", ui-monospace, monospace; } .in { padding: 0 12px 12px; } h3 { font-size: 12px; color: var(--soft); margin: 12px 0 4px; }
pre { overflow: auto; background: var(--page); padding: 8px 12px; border-radius: 6px; margin: 0; } td { padding: 2px 16px 2px 0; vertical-align: top; }
)";

QString schemaText(const QJsonValue &schema)
{
    return QString::fromUtf8(QJsonDocument(schema.toObject()).toJson()).toHtmlEscaped();
}

QString parametersHtml(const QJsonArray &parameters)
{
    QString rows;
    for (const QJsonValue &parameter : parameters)
        rows += u"<tr><td><code>%1</code></td><td>%2</td><td>%3</td></tr>"_s.arg(
            parameter[u"name"].toString().toHtmlEscaped(), parameter[u"in"].toString(),
            parameter[u"description"].toString().toHtmlEscaped());
    return rows.isEmpty() ? QString() : u"<h3>Parameters</h3><table>%1</table>"_s.arg(rows);
}

QString responsesHtml(const QJsonObject &responses)
{
    QString html;
    for (auto it = responses.begin(); it != responses.end(); ++it) {
        const QJsonObject response = it->toObject();
        html += u"<tr><td><code>%1</code></td><td>%2</td></tr>"_s.arg(
            it.key(), response[u"description"_s].toString().toHtmlEscaped());
    }
    return u"<h3>Answers</h3><table>%1</table>"_s.arg(html);
}

QString operationHtml(const QString &method, const QString &path, const QJsonObject &operation)
{
    QString inner = parametersHtml(operation[u"parameters"_s].toArray());
    const QJsonObject body = operation[u"requestBody"_s][u"content"][u"application/json"][u"schema"].toObject();
    if (!body.isEmpty())
        inner += u"<h3>Body</h3><pre>%1</pre>"_s.arg(schemaText(body));
    inner += responsesHtml(operation[u"responses"_s].toObject());
    for (const QString &status : {u"200"_s, u"201"_s}) {
        const QJsonObject schema =
            operation[u"responses"_s][status][u"content"][u"application/json"][u"schema"].toObject();
        if (!schema.isEmpty())
            inner += u"<h3>%1</h3><pre>%2</pre>"_s.arg(status, schemaText(schema));
    }
    return u"<details><summary><b>%1</b><code>%2</code><span>%3</span></summary><div class=\"in\">%4</div></details>"_s
        .arg(method.toUpper(), path.toHtmlEscaped(), operation[u"summary"_s].toString().toHtmlEscaped(), inner);
}

} // namespace

QByteArray apiPage(const QJsonObject &document)
{
    QMap<QString, QString> groups;
    const QJsonObject paths = document[u"paths"_s].toObject();
    for (auto path = paths.begin(); path != paths.end(); ++path) {
        const QJsonObject operations = path->toObject();
        for (auto operation = operations.begin(); operation != operations.end(); ++operation)
            groups[operation->toObject()[u"tags"_s][0].toString()] +=
                operationHtml(operation.key(), path.key(), operation->toObject());
    }
    QString html = u"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width\"><title>%1: API</title><style>%2</style>"
                   "</head><body><h1>%1: API</h1><p>The machine-readable form is "
                   "<a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>. Errors are application/problem+json "
                   "with a stable <code>code</code>.</p>"_s.arg(document[u"info"_s][u"title"].toString(),
                                                                QString::fromLatin1(style));
    for (auto group = groups.begin(); group != groups.end(); ++group)
        html += u"<h2>%1</h2>%2"_s.arg(group.key(), group.value());
    return (html + u"</body></html>"_s).toUtf8();
}

} // namespace companion::app
