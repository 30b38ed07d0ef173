#include "console/ui/widgets/KpiTile.h"

#include "console/ui/widgets/Look.h"

namespace companion::console {

namespace {

QFont capsFont()
{
    QFont font = Theme::font(type::caps);
    font.setCapitalization(QFont::AllUppercase);
    font.setLetterSpacing(QFont::PercentageSpacing, 102);
    return font;
}

} // namespace

KpiTile::KpiTile(Theme &theme, Size size, QWidget *parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_title(label({}, "quiet"))
    , m_value(label({}, size == Size::Leading ? "figure" : "figure-small"))
    , m_change(label({}))
    , m_note(label({}, "small"))
{
    const bool leading = size == Size::Leading;
    if (leading)
        setProperty("look", QStringLiteral("card"));
    auto *layout = plain(new QVBoxLayout(this), leading ? space::xs : 2);
    if (leading)
        layout->setContentsMargins(space::card, space::m, space::card, space::m);
    m_title->setFont(capsFont());
    m_change->setFont(Theme::font(type::small));
    m_value->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto *foot = plain(new QHBoxLayout, space::s);
    foot->addWidget(m_change);
    foot->addWidget(m_note);
    foot->addStretch();
    layout->addWidget(m_title);
    layout->addWidget(m_value);
    layout->addLayout(foot);
    connect(&theme, &Theme::changed, this, &KpiTile::paintChange);
}

void KpiTile::show(const Kpi &kpi)
{
    m_kpi = kpi;
    setObjectName(u"kpi_" + kpi.key);
    setAccessibleName(kpi.title + u' ' + kpi.value);
    setToolTip(kpi.compared ? tr("%1 in the period before").arg(kpi.before) : QString());
    m_title->setText(kpi.title);
    m_value->setText(kpi.value);
    m_change->setText(kpi.change.isEmpty() ? tr("no earlier figure") : kpi.change);
    m_change->setVisible(kpi.compared);
    m_note->setText(kpi.note);
    paintChange();
}

void KpiTile::paintChange()
{
    QPalette colours = m_change->palette();
    colours.setColor(QPalette::WindowText,
                     m_kpi.change.isEmpty() ? m_theme.tokens().disabled : m_theme.tokens().tone(m_kpi.tone));
    m_change->setPalette(colours);
}

} // namespace companion::console
