#include "console/app/ScreenshotRun.h"

#include "console/ui/pages/PersonaTestPage.h"

#include <QApplication>

#include <cstdio>

namespace companion::console {

ScreenshotRun::ScreenshotRun(MainWindow &window, const ImageCache &images, const Options &options, QObject *parent)
    : QObject(parent)
    , m_window(window)
    , m_images(images)
    , m_options(options)
{
    m_calm.setSingleShot(true);
    connect(&m_calm, &QTimer::timeout, this, &ScreenshotRun::look);
    connect(&m_patience, &QTimer::timeout, this, [this] { fail(QStringLiteral("the page did not load in 60 s")); });
    m_calm.start(400);
    m_patience.start(60'000);
}

void ScreenshotRun::look()
{
    m_calm.start(400);
    if (!m_window.isSettled() || m_images.isFetching())
        return;
    if (!m_options.say.isEmpty() && !std::exchange(m_said, true)) {
        m_window.personaTest()->compareModes();
        m_window.personaTest()->say(m_options.say);
        return;
    }
    grab();
}

void ScreenshotRun::grab()
{
    m_calm.stop();
    if (!m_window.grab().save(m_options.screenshot, "PNG"))
        return fail(QStringLiteral("%1 cannot be written").arg(m_options.screenshot));
    QApplication::exit(0);
}

void ScreenshotRun::fail(const QString &why)
{
    std::fprintf(stderr, "companion-console: %s\n", qPrintable(why));
    QApplication::exit(1);
}

} // namespace companion::console
