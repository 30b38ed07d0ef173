#include "console/app/Options.h"

#include <QCommandLineParser>

namespace companion::console {

namespace {

std::optional<QSize> sizeOf(const QString &text)
{
    const QStringList parts = text.split(u'x');
    const QSize size(parts.value(0).toInt(), parts.value(1).toInt());
    return parts.size() == 2 && size.width() >= 320 && size.height() >= 240 ? std::optional(size) : std::nullopt;
}

std::optional<ColourScheme> schemeOf(const QString &text)
{
    if (text == QLatin1StringView("light"))
        return ColourScheme::Light;
    if (text == QLatin1StringView("dark"))
        return ColourScheme::Dark;
    return std::nullopt;
}

} // namespace

std::expected<Options, QString> Options::parse(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("The operator's console of the companion platform."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions(
        {{QStringLiteral("server"), QStringLiteral("The server to sign in to."), QStringLiteral("URL")},
         {QStringLiteral("key-file"), QStringLiteral("Sign in with the access key in this file."),
          QStringLiteral("FILE")},
         {QStringLiteral("page"),
          QStringLiteral("dashboard, characters[/SLUG], users[/EMAIL], persona-test[/SLUG] or sign-in."),
          QStringLiteral("PLACE"), QStringLiteral("dashboard")},
         {QStringLiteral("theme"), QStringLiteral("light or dark; else the desktop's."), QStringLiteral("THEME")},
         {QStringLiteral("size"), QStringLiteral("The window's size."), QStringLiteral("WxH")},
         {QStringLiteral("screenshot"), QStringLiteral("Write the page to a PNG once it has loaded, and end."),
          QStringLiteral("FILE")},
         {QStringLiteral("say"), QStringLiteral("With persona-test: say this in both modes."),
          QStringLiteral("TEXT")}});
    parser.process(arguments);
    Options options{.server = QUrl(parser.value(QStringLiteral("server"))),
                    .keyFile = parser.value(QStringLiteral("key-file")),
                    .place = Place::parse(parser.value(QStringLiteral("page"))),
                    .scheme = schemeOf(parser.value(QStringLiteral("theme"))),
                    .size = sizeOf(parser.value(QStringLiteral("size"))).value_or(QSize()),
                    .screenshot = parser.value(QStringLiteral("screenshot")),
                    .say = parser.value(QStringLiteral("say"))};
    if (parser.isSet(QStringLiteral("theme")) && !options.scheme)
        return std::unexpected(QStringLiteral("--theme is light or dark."));
    if (parser.isSet(QStringLiteral("size")) && options.size.isEmpty())
        return std::unexpected(QStringLiteral("--size is WIDTHxHEIGHT, at least 320x240."));
    const bool signsIn = options.place.page != QLatin1StringView("sign-in");
    if (!options.screenshot.isEmpty() && (options.server.isEmpty() || (signsIn && options.keyFile.isEmpty())))
        return std::unexpected(QStringLiteral("--screenshot needs --server and, but for sign-in, --key-file."));
    if (!parser.positionalArguments().isEmpty())
        return std::unexpected(QStringLiteral("%1 is not an option.").arg(parser.positionalArguments().first()));
    return options;
}

} // namespace companion::console
