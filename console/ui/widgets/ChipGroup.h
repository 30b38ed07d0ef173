#pragma once

#include <QButtonGroup>
#include <QWidget>

namespace companion::console {

// Filters or choices side by side, one of which is chosen.
class ChipGroup : public QWidget
{
    Q_OBJECT
public:
    // `look`: "chip", or "tab" for the parts of a page.
    explicit ChipGroup(const QString &accessibleName, const char *look = "chip", QWidget *parent = nullptr);
    void add(const QString &text, int id, const char *name);
    int chosen() const { return m_group.checkedId(); }
    void choose(int id); // as a click would
    void setChoosable(int id, bool choosable, const QString &why = {});

Q_SIGNALS:
    void changed(int id);

private:
    const char *m_look;
    QButtonGroup m_group;
};

} // namespace companion::console
