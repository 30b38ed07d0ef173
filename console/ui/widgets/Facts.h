#pragma once

#include "console/ui/Ui.h"

#include <QGridLayout>
#include <QWidget>

namespace companion::console {

class DataTable;

// Names and values, one beneath the other, as a pane tells what it is about.
class Facts : public QWidget
{
    Q_OBJECT
public:
    explicit Facts(const Ui &ui, QWidget *parent = nullptr);
    void clear();
    void add(const QString &name, const QString &value, const QString &exact = {});
    void add(const QString &name, const QDateTime &time);
    // In full, with a button that copies it. `what` names the button: "Copy payment id".
    void addId(const QString &name, const QString &id, const QString &what);

private:
    Ui m_ui;
    QGridLayout *m_grid;
    int m_rows = 0;
};

// As high as its rows: the pane around it scrolls, not the table.
void fitToRows(DataTable *table);

} // namespace companion::console
