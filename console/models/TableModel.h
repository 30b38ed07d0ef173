#pragma once

#include "console/models/Roles.h"

#include <QAbstractTableModel>
#include <functional>

namespace companion::console {

// A flat table that checks every index itself; a subclass says only how many rows and what stands in them.
class TableModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum class Align { Left, Right };
    struct Column
    {
        QString title;
        Align align = Align::Left;
    };

    explicit TableModel(const QList<Column> &columns, QObject *parent = nullptr);

    int rowCount(const QModelIndex &parent = {}) const final;
    int columnCount(const QModelIndex &parent = {}) const final;
    QVariant data(const QModelIndex &index, int role) const final;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const final;

protected:
    virtual int rowTotal() const = 0;
    virtual QVariant cell(int row, int column, int role) const = 0; // indexes are in range

private:
    QList<Column> m_columns;
};

// The common case: a list of rows of one type. What is shown by a column is one function per column.
template <class Row>
class RowsModel : public TableModel
{
public:
    struct Cell
    {
        Column column;
        std::function<QVariant(const Row &, int role)> value;
    };
    RowsModel(const QList<Cell> &cells, QObject *parent)
        : TableModel(columnsOf(cells), parent)
        , m_cells(cells)
    {
    }
    void setRows(const QList<Row> &rows)
    {
        beginResetModel();
        m_rows = rows;
        endResetModel();
    }
    void appendRows(const QList<Row> &rows)
    {
        if (rows.isEmpty())
            return;
        beginInsertRows({}, static_cast<int>(m_rows.size()), static_cast<int>(m_rows.size() + rows.size()) - 1);
        m_rows += rows;
        endInsertRows();
    }
    void replaceRow(int row, const Row &value)
    {
        m_rows[row] = value;
        Q_EMIT dataChanged(index(row, 0), index(row, static_cast<int>(m_cells.size()) - 1));
    }
    const QList<Row> &rows() const { return m_rows; }
    const Row *row(const QModelIndex &at) const { return at.isValid() ? &m_rows.at(at.row()) : nullptr; }

protected:
    int rowTotal() const override { return static_cast<int>(m_rows.size()); }
    QVariant cell(int row, int column, int role) const override
    {
        return m_cells.at(column).value(m_rows.at(row), role);
    }

private:
    static QList<Column> columnsOf(const QList<Cell> &cells)
    {
        QList<Column> columns;
        for (const Cell &cell : cells)
            columns.append(cell.column);
        return columns;
    }

    QList<Cell> m_cells;
    QList<Row> m_rows;
};

// The functions of the usual columns.
namespace cells {
inline QVariant text(const QString &text, int role)
{
    return role == Qt::DisplayRole || role == Qt::ToolTipRole ? QVariant(text) : QVariant();
}
inline QVariant quiet(const QString &text, int role)
{
    return role == SecondaryRole ? QVariant(true) : cells::text(text, role);
}
inline QVariant state(const QString &word, Tone tone, int role)
{
    return role == ToneRole ? QVariant::fromValue(tone) : role == Qt::DisplayRole ? QVariant(word) : QVariant();
}
QVariant time(const QDateTime &time, int role);
} // namespace cells

} // namespace companion::console

Q_DECLARE_METATYPE(companion::console::Tone)
