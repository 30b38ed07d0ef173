#include "console/ui/widgets/FilterChip.h"

#include "console/ui/widgets/Look.h"

#include <QMenu>

namespace companion::console {

FilterChip::FilterChip(Theme &theme, const QString &title, const char *name, QWidget *parent)
    : QPushButton(parent)
    , m_theme(theme)
    , m_title(title)
    , m_menu(new QMenu(this))
{
    setObjectName(QString::fromLatin1(name));
    setProperty("look", QStringLiteral("filter"));
    setCursor(Qt::PointingHandCursor);
    setAutoDefault(false);
    setLayoutDirection(layoutDirection() == Qt::LeftToRight ? Qt::RightToLeft
                                                            : Qt::LeftToRight); // the arrow comes last
    setIconSize({14, 14});
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    m_menu->setLayoutDirection(Qt::LeftToRight);
    m_menu->setObjectName(QString(objectName() + QStringLiteral("Menu")));
    setMenu(m_menu);
    add(tr("Any"), {});
    m_options.actions().first()->setChecked(true);
    connect(&m_options, &QActionGroup::triggered, this, [this] {
        tell();
        Q_EMIT changed();
    });
    connect(&theme, &Theme::changed, this, &FilterChip::tell);
    tell();
}

void FilterChip::addOption(const QString &text, const QVariant &value)
{
    add(text, value);
}

void FilterChip::add(const QString &text, const QVariant &value)
{
    QAction *option = m_menu->addAction(text);
    option->setCheckable(true);
    option->setData(value);
    m_options.addAction(option);
}

QVariant FilterChip::value() const
{
    const QAction *option = m_options.checkedAction();
    return option ? option->data() : QVariant();
}

void FilterChip::choose(const QVariant &value)
{
    for (QAction *option : m_options.actions())
        if (option->data() == value)
            option->trigger();
}

void FilterChip::tell()
{
    const QString chosen = isSet() ? m_options.checkedAction()->text() : QString();
    setText(chosen.isEmpty() ? m_title : tr("%1: %2").arg(m_title, chosen));
    setAccessibleName(tr("%1: %2").arg(m_title, chosen.isEmpty() ? tr("any") : chosen));
    setIcon(m_theme.icon(QStringLiteral("chevron"), m_theme.tokens().secondary));
    if (property("filtering").toBool() == isSet())
        return;
    setProperty("filtering", isSet());
    setLook(this, "filter");
}

} // namespace companion::console
