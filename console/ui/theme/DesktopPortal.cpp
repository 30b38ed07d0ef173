#include "console/ui/theme/DesktopPortal.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>

namespace companion::console {

namespace {

const QString portalService = QStringLiteral("org.freedesktop.portal.Desktop");
const QString portalPath = QStringLiteral("/org/freedesktop/portal/desktop");
const QString portalSettings = QStringLiteral("org.freedesktop.portal.Settings");
const QString appearance = QStringLiteral("org.freedesktop.appearance");
const QString gnomeInterface = QStringLiteral("org.gnome.desktop.interface");
const QString colourScheme = QStringLiteral("color-scheme");
const QString animations = QStringLiteral("enable-animations");

// Read() wraps the value in a variant twice.
QVariant unwrapped(QVariant value)
{
    while (value.userType() == qMetaTypeId<QDBusVariant>())
        value = value.value<QDBusVariant>().variant();
    return value;
}

} // namespace

DesktopPortal::DesktopPortal(QObject *parent)
    : QObject(parent)
{
}

void DesktopPortal::ask()
{
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    bus.connect(portalService, portalPath, portalSettings, QStringLiteral("SettingChanged"), this,
                SLOT(settingChanged(QString, QString, QDBusVariant)));
    read(appearance, colourScheme);
    read(gnomeInterface, animations);
}

void DesktopPortal::read(const QString &group, const QString &key)
{
    QDBusMessage call =
        QDBusMessage::createMethodCall(portalService, portalPath, portalSettings, QStringLiteral("Read"));
    call << group << key;
    auto *watcher = new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(call), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, key, watcher] {
        const QDBusPendingReply<QVariant> reply = *watcher;
        if (!reply.isError())
            take(key, reply.value());
        watcher->deleteLater();
    });
}

void DesktopPortal::settingChanged(const QString &group, const QString &key, const QDBusVariant &value)
{
    if (group == appearance || group == gnomeInterface)
        take(key, value.variant());
}

void DesktopPortal::take(const QString &key, const QVariant &value)
{
    if (key == colourScheme)
        Q_EMIT darkChanged(unwrapped(value).toUInt() == 1); // 0 no preference, 1 dark, 2 light
    else if (key == animations)
        Q_EMIT reducedMotionChanged(!unwrapped(value).toBool());
}

} // namespace companion::console
