#include "app/ApiPage.h"

#include "common/Ensure.h"

#include <QCryptographicHash>
#include <QFile>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

QByteArray resource(const QString &name)
{
    QFile file(u":/companion/docs/"_s + name);
    ensure(file.open(QIODevice::ReadOnly), "the API page is in the program");
    return file.readAll();
}

QByteArray source(const QByteArray &text)
{
    return "'sha256-" + QCryptographicHash::hash(text, QCryptographicHash::Sha256).toBase64() + '\'';
}

} // namespace

ApiPage apiPage()
{
    const QByteArray style = resource(u"page.css"_s);
    const QByteArray script = resource(u"page.js"_s);
    ApiPage page{.html = resource(u"page.html"_s), .policy = {}};
    page.html.replace("/*style*/", style).replace("/*script*/", script);
    page.policy = "default-src 'none'; style-src " + source(style) + "; script-src " + source(script)
        + "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    return page;
}

} // namespace companion::app
