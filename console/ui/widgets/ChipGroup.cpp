#include "console/ui/widgets/ChipGroup.h"

#include "console/ui/widgets/Look.h"

namespace companion::console {

ChipGroup::ChipGroup(const QString &accessibleName, const char *look, QWidget *parent)
    : QWidget(parent)
    , m_look(look)
{
    setAccessibleName(accessibleName);
    plain(new QHBoxLayout(this), space::s)->addStretch();
    connect(&m_group, &QButtonGroup::idToggled, this, [this](int id, bool on) {
        if (on)
            Q_EMIT changed(id);
    });
}

void ChipGroup::add(const QString &text, int id, const char *name)
{
    auto *chip = button(text, name, m_look);
    chip->setCheckable(true);
    auto *row = qobject_cast<QHBoxLayout *>(layout());
    row->insertWidget(row->count() - 1, chip);
    m_group.addButton(chip, id);
    if (m_group.buttons().size() == 1)
        chip->setChecked(true);
}

void ChipGroup::choose(int id)
{
    if (QAbstractButton *chip = m_group.button(id))
        chip->setChecked(true);
}

void ChipGroup::setChoosable(int id, bool choosable, const QString &why)
{
    QAbstractButton *chip = m_group.button(id);
    chip->setEnabled(choosable);
    chip->setToolTip(choosable ? QString() : why);
}

} // namespace companion::console
