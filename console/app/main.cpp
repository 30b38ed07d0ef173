#include "console/app/Options.h"
#include "console/app/ScreenshotRun.h"
#include "console/ui/MainWindow.h"
#include "console/ui/theme/DesktopPortal.h"

#include <QApplication>
#include <QFile>

#include <cstdio>

using namespace companion;
using namespace companion::console;

namespace {

int refuse(const QString &why)
{
    std::fprintf(stderr, "companion-console: %s\n", qPrintable(why));
    return 2;
}

std::optional<QString> keyIn(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return std::nullopt;
    return QString::fromUtf8(file.readAll()).trimmed();
}

} // namespace

int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("companion-console"));
    QApplication::setOrganizationName(QStringLiteral("companion"));
    QApplication::setApplicationVersion(QStringLiteral(COMPANION_VERSION));
    const auto options = Options::parse(QApplication::arguments());
    if (!options)
        return refuse(options.error());
    const auto key = options->keyFile.isEmpty() ? std::optional(QString()) : keyIn(options->keyFile);
    if (!key || (!options->keyFile.isEmpty() && key->isEmpty()))
        return refuse(QStringLiteral("%1 holds no key.").arg(options->keyFile));
    if (!key->isEmpty() && options->server.isEmpty())
        return refuse(QStringLiteral("--key-file needs --server."));

    QSettings settings;
    SystemClock clock;
    SystemKeyring keyring;
    ApiClient client;
    Session session(client, keyring);
    Prompts prompts;
    Theme theme;
    DesktopPortal portal;
    ImageCache images(client);
    QObject::connect(&portal, &DesktopPortal::darkChanged, &theme, &Theme::setSystemIsDark);
    QObject::connect(&portal, &DesktopPortal::reducedMotionChanged, &theme, &Theme::setReducedMotion);
    theme.choose(options->scheme.value_or(Setting(settings, "window/scheme", ColourScheme::System).value()));
    theme.apply(application);
    portal.ask();

    MainWindow window({theme, prompts, images, clock}, client, session, settings);
    if (!options->size.isEmpty())
        window.resize(options->size);
    if (!options->server.isEmpty())
        window.setServer(options->server);
    window.goTo(options->place);
    window.show();
    std::optional<ScreenshotRun> screenshot;
    if (!options->screenshot.isEmpty())
        screenshot.emplace(window, images, *options);
    if (key->isEmpty())
        window.begin();
    else
        session.signIn(options->server, *key, false);
    return QApplication::exec();
}
