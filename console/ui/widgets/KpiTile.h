#pragma once

#include "console/models/Kpi.h"
#include "console/ui/theme/Theme.h"

#include <QFrame>

class QLabel;

namespace companion::console {

// One figure: its name in small caps, the figure, and how it changed.
class KpiTile : public QFrame
{
    Q_OBJECT
public:
    enum class Size { Leading, Supporting };
    KpiTile(Theme &theme, Size size, QWidget *parent = nullptr);
    void show(const Kpi &kpi);
    using QFrame::show;

private:
    void paintChange();

    Theme &m_theme;
    Kpi m_kpi;
    QLabel *m_title;
    QLabel *m_value;
    QLabel *m_change;
    QLabel *m_note;
};

} // namespace companion::console
