#pragma once

#include "console/app/Options.h"
#include "console/ui/MainWindow.h"

namespace companion::console {

// Waits until the page has what it asked for, writes it to a PNG and ends the program: 0, or 1 when that took too long.
class ScreenshotRun : public QObject
{
    Q_OBJECT
public:
    ScreenshotRun(MainWindow &window, const ImageCache &images, const Options &options, QObject *parent = nullptr);

private:
    void look();
    void grab();
    void fail(const QString &why);

    MainWindow &m_window;
    const ImageCache &m_images;
    Options m_options;
    bool m_said = false;
    QTimer m_calm; // what is drawn late (pictures, text that appears) has settled too
    QTimer m_patience;
};

} // namespace companion::console
