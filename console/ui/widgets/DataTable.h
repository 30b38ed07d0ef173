#pragma once

#include "console/ui/Ui.h"

#include <QTableView>

namespace companion::console {

class CellDelegate;

// A table as look.md wants it: whole rows, hover tint, Enter or a double click opens, a header menu that hides columns.
class DataTable : public QTableView
{
    Q_OBJECT
public:
    DataTable(const Ui &ui, const QString &accessibleName, QWidget *parent = nullptr);

    template <class Delegate>
    void setColumn(int column, int width)
    {
        setItemDelegateForColumn(column, new Delegate(m_ui, this));
        setColumnWidth(column, width);
    }
    void setStretch(int column); // takes what room is left
    void setCompact();
    int hoveredRow() const { return m_hovered; }

Q_SIGNALS:
    void opened(const QModelIndex &index); // column 0 of the row

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void leaveEvent(QEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    void hover(int row);
    void chooseColumns(const QPoint &at);

    Ui m_ui;
    int m_hovered = -1;
};

} // namespace companion::console
