#pragma once

#include "console/ui/Ui.h"

#include <QStyledItemDelegate>

namespace companion::console {

// One cell of a table: hover and selection over the whole row, a hairline beneath, and the content inside 12 px.
class CellDelegate : public QStyledItemDelegate
{
    Q_OBJECT
public:
    CellDelegate(const Ui &ui, QObject *parent);
    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const final;
    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override;

protected:
    virtual void paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const;
    virtual QString textOf(const QModelIndex &index) const;
    virtual int leading() const { return 0; } // room before the text
    void drawText(QPainter &painter, const QRect &content, const QModelIndex &index, const QColor &colour) const;
    QColor textColour(const QModelIndex &index) const;
    const Ui &ui() const { return m_ui; }

private:
    Ui m_ui;
};

// Credits that arrive in green, the rest calm.
class MoneyDelegate : public CellDelegate
{
    Q_OBJECT
public:
    using CellDelegate::CellDelegate;

protected:
    void paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const override;
};

// A small dot of the state's colour, and its word.
class StatusDelegate : public CellDelegate
{
    Q_OBJECT
public:
    using CellDelegate::CellDelegate;

protected:
    void paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const override;
    int leading() const override;
};

// "5 min ago"; the exact time on hover is the model's.
class TimeDelegate : public CellDelegate
{
    Q_OBJECT
public:
    using CellDelegate::CellDelegate;

protected:
    QString textOf(const QModelIndex &index) const override;
};

// A round picture before the name.
class PictureDelegate : public CellDelegate
{
    Q_OBJECT
public:
    using CellDelegate::CellDelegate;

protected:
    void paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const override;
    int leading() const override;
};

} // namespace companion::console
