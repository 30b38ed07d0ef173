#include "console/ui/widgets/DataTable.h"

#include "console/ui/widgets/CellDelegate.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>

namespace companion::console {

DataTable::DataTable(const Ui &ui, const QString &accessibleName, QWidget *parent)
    : QTableView(parent)
    , m_ui(ui)
{
    setAccessibleName(accessibleName);
    setItemDelegate(new CellDelegate(ui, this));
    setShowGrid(false);
    setWordWrap(false);
    setMouseTracking(true);
    setFrameShape(QFrame::NoFrame);
    setSelectionBehavior(SelectRows);
    setSelectionMode(SingleSelection);
    setEditTriggers(NoEditTriggers);
    setTabKeyNavigation(false); // Tab leaves the table; arrows move in it
    setHorizontalScrollMode(ScrollPerPixel);
    setVerticalScrollMode(ScrollPerPixel);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(size::row);
    horizontalHeader()->setFixedHeight(size::row);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setSectionsClickable(false);
    horizontalHeader()->setMinimumSectionSize(48);
    horizontalHeader()->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(horizontalHeader(), &QWidget::customContextMenuRequested, this, &DataTable::chooseColumns);
    connect(this, &QTableView::doubleClicked, this,
            [this](const QModelIndex &index) { Q_EMIT opened(index.siblingAtColumn(0)); });
    connect(&ui.images, &ImageCache::arrived, viewport(), qOverload<>(&QWidget::update));
}

void DataTable::setStretch(int column)
{
    horizontalHeader()->setSectionResizeMode(column, QHeaderView::Stretch);
}

void DataTable::setCompact()
{
    verticalHeader()->setDefaultSectionSize(size::compactRow);
    horizontalHeader()->setFixedHeight(size::compactRow);
}

void DataTable::keyPressEvent(QKeyEvent *event)
{
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && currentIndex().isValid())
        Q_EMIT opened(currentIndex().siblingAtColumn(0));
    else
        QTableView::keyPressEvent(event);
}

void DataTable::mouseMoveEvent(QMouseEvent *event)
{
    hover(rowAt(event->position().toPoint().y()));
    QTableView::mouseMoveEvent(event);
}

void DataTable::leaveEvent(QEvent *event)
{
    hover(-1);
    QTableView::leaveEvent(event);
}

bool DataTable::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::Leave)
        hover(-1);
    return QTableView::viewportEvent(event);
}

void DataTable::hover(int row)
{
    if (std::exchange(m_hovered, row) != row)
        viewport()->update();
}

void DataTable::chooseColumns(const QPoint &at)
{
    QMenu *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (int column = 1; column < model()->columnCount(); ++column) { // the first one names the row and stays
        QAction *action = menu->addAction(model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
        action->setCheckable(true);
        action->setChecked(!isColumnHidden(column));
        connect(action, &QAction::toggled, this, [this, column](bool shown) { setColumnHidden(column, !shown); });
    }
    menu->popup(horizontalHeader()->mapToGlobal(at));
}

} // namespace companion::console
