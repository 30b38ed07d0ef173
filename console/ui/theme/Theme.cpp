#include "console/ui/theme/Theme.h"

#include <QApplication>
#include <QFile>
#include <QPainter>
#include <QPalette>
#include <QPixmapCache>
#include <QStyleFactory>
#include <QSvgRenderer>

// The icons are in a static library, where nothing else would pull them into the program. Not inside a namespace.
static void loadIcons()
{
    Q_INIT_RESOURCE(icons);
}

namespace companion::console {

namespace {

QPalette paletteFor(const Tokens &t)
{
    QPalette palette;
    palette.setColor(QPalette::Window, t.window);
    palette.setColor(QPalette::WindowText, t.text);
    palette.setColor(QPalette::Base, t.surface);
    palette.setColor(QPalette::AlternateBase, t.window);
    palette.setColor(QPalette::Text, t.text);
    palette.setColor(QPalette::PlaceholderText, t.disabled);
    palette.setColor(QPalette::Button, t.surface);
    palette.setColor(QPalette::ButtonText, t.text);
    palette.setColor(QPalette::BrightText, t.danger);
    palette.setColor(QPalette::Highlight, t.accent);
    palette.setColor(QPalette::HighlightedText, t.onAccent);
    palette.setColor(QPalette::Link, t.accent);
    palette.setColor(QPalette::ToolTipBase, t.raised);
    palette.setColor(QPalette::ToolTipText, t.text);
    palette.setColor(QPalette::Mid, t.border);
    palette.setColor(QPalette::Dark, t.strongBorder);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, t.disabled);
    return palette;
}

QByteArray iconSource(const QString &name)
{
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

Theme::Theme(QObject *parent)
    : QObject(parent)
{
    loadIcons();
}

void Theme::choose(ColourScheme choice)
{
    m_choice = choice;
    update();
}

void Theme::setSystemIsDark(bool dark)
{
    m_systemIsDark = dark;
    update();
}

void Theme::update()
{
    const bool dark = m_choice == ColourScheme::Dark || (m_choice == ColourScheme::System && m_systemIsDark);
    if (dark == m_tokens.dark)
        return;
    m_tokens = dark ? Tokens::darkOnes() : Tokens::light();
    if (m_application)
        apply(*m_application);
    Q_EMIT changed();
}

void Theme::apply(QApplication &application)
{
    if (!m_application)
        application.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    m_application = &application;
    application.setFont(font(type::body));
    application.setPalette(paletteFor(m_tokens));
    application.setStyleSheet(styleSheetFor(m_tokens));
}

QIcon Theme::icon(const QString &name, const QColor &colour) const
{
    QIcon icon;
    for (const qreal ratio : {1.0, 2.0}) {
        icon.addPixmap(pixmap(name, colour, size::icon, ratio));
        icon.addPixmap(pixmap(name, m_tokens.disabled, size::icon, ratio), QIcon::Disabled);
    }
    return icon;
}

QPixmap Theme::pixmap(const QString &name, const QColor &colour, int side, qreal ratio) const
{
    const QString key = QStringLiteral("icon/%1/%2/%3/%4").arg(name, colour.name(QColor::HexArgb)).arg(side).arg(ratio);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap))
        return pixmap;
    QSvgRenderer renderer(iconSource(name).replace("currentColor", colour.name().toLatin1()));
    pixmap = QPixmap(QSize(side, side) * ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    renderer.render(&painter);
    painter.end();
    pixmap.setDevicePixelRatio(ratio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

QFont Theme::font(int pixels, QFont::Weight weight)
{
    QFont font;
    font.setFamilies({QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans")});
    font.setPixelSize(pixels);
    font.setWeight(weight);
    font.setHintingPreference(QFont::PreferVerticalHinting);
    return font;
}

QFont Theme::monospace(int pixels)
{
    QFont font;
    font.setFamilies(
        {QStringLiteral("Noto Sans Mono"), QStringLiteral("DejaVu Sans Mono"), QStringLiteral("monospace")});
    font.setPixelSize(pixels);
    font.setStyleHint(QFont::Monospace);
    return font;
}

} // namespace companion::console
