#pragma once

#include <QButtonGroup>
#include <QWidget>

namespace companion::console {

// Filters or choices side by side, one of which is chosen.
class ChipGroup : public QWidget
{
    Q_OBJECT
public:
    explicit ChipGroup(const QString &accessibleName, QWidget *parent = nullptr);
    void add(const QString &text, int id, const char *name);
    int chosen() const { return m_group.checkedId(); }
    void choose(int id); // as a click would
    void setChoosable(int id, bool choosable, const QString &why = {});

Q_SIGNALS:
    void changed(int id);

private:
    QButtonGroup m_group;
};

} // namespace companion::console
