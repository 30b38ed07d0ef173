#pragma once

#include <QObject>

class QDBusVariant;

namespace companion::console {

// What the desktop says of colours and motion, over org.freedesktop.portal.Settings. Qt 6.4 knows neither. Silent where
// there is no portal: then nothing is heard and the light theme stays.
class DesktopPortal : public QObject
{
    Q_OBJECT
public:
    explicit DesktopPortal(QObject *parent = nullptr);
    void ask();

Q_SIGNALS:
    void darkChanged(bool dark);
    void reducedMotionChanged(bool reduced);

private Q_SLOTS:
    void settingChanged(const QString &group, const QString &key, const QDBusVariant &value);

private:
    void read(const QString &group, const QString &key);
    void take(const QString &key, const QVariant &value);
};

} // namespace companion::console
