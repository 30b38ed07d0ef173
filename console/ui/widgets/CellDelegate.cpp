#include "console/ui/widgets/CellDelegate.h"

#include "console/models/Format.h"
#include "console/models/TableModel.h"
#include "console/ui/widgets/DataTable.h"

#include <QPainter>

namespace companion::console {

namespace {

constexpr int dot = 7;
constexpr int dotRise = dot / 2; // rounded down on purpose: whole pixels are crisp

} // namespace

CellDelegate::CellDelegate(const Ui &ui, QObject *parent)
    : QStyledItemDelegate(parent)
    , m_ui(ui)
{
}

void CellDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    const Tokens &tokens = m_ui.theme.tokens();
    const auto *table = qobject_cast<const DataTable *>(option.widget);
    if (option.state & QStyle::State_Selected)
        painter->fillRect(option.rect, tokens.selection());
    else if (table && table->hoveredRow() == index.row())
        painter->fillRect(option.rect, tokens.hover());
    painter->fillRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1, tokens.border);
    painter->save();
    painter->setFont(option.font);
    paintContent(*painter, option.rect.adjusted(space::m, 0, -space::m, -1), index);
    painter->restore();
}

QSize CellDelegate::sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    return {option.fontMetrics.horizontalAdvance(textOf(index)) + leading() + 2 * space::m + 1, size::row};
}

void CellDelegate::paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const
{
    drawText(painter, content, index, textColour(index));
}

QString CellDelegate::textOf(const QModelIndex &index) const
{
    return index.data(Qt::DisplayRole).toString();
}

void CellDelegate::drawText(QPainter &painter, const QRect &content, const QModelIndex &index,
                            const QColor &colour) const
{
    const auto alignment = Qt::Alignment(index.data(Qt::TextAlignmentRole).toInt());
    // A text of several lines shows as one.
    const QString text = textOf(index).simplified();
    painter.setPen(colour);
    painter.drawText(content, alignment, painter.fontMetrics().elidedText(text, Qt::ElideRight, content.width()));
}

QColor CellDelegate::textColour(const QModelIndex &index) const
{
    const Tokens &tokens = m_ui.theme.tokens();
    return index.data(SecondaryRole).toBool() ? tokens.secondary : tokens.text;
}

void MoneyDelegate::paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const
{
    const bool arrives = index.data(ToneRole).value<Tone>() == Tone::Positive;
    drawText(painter, content, index, arrives ? ui().theme.tokens().positive : textColour(index));
}

int StatusDelegate::leading() const
{
    return dot + space::s;
}

void StatusDelegate::paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const
{
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(ui().theme.tokens().tone(index.data(ToneRole).value<Tone>()));
    painter.drawEllipse(QRectF(content.left(), content.center().y() - dotRise + 0.5, dot, dot));
    drawText(painter, content.adjusted(leading(), 0, 0, 0), index, textColour(index));
}

QString TimeDelegate::textOf(const QModelIndex &index) const
{
    const QVariant time = index.data(TimeRole);
    return time.isValid() ? format::relativeTime(time.toDateTime(), ui().clock.now()) : CellDelegate::textOf(index);
}

int PictureDelegate::leading() const
{
    return size::avatar + space::s;
}

void PictureDelegate::paintContent(QPainter &painter, const QRect &content, const QModelIndex &index) const
{
    const QRect circle(content.left(), content.center().y() - size::avatar / 2 + 1, size::avatar, size::avatar);
    ui().images.paint(painter, circle, index.data(ImageRole).toUrl(), textOf(index));
    drawText(painter, content.adjusted(leading(), 0, 0, 0), index, textColour(index));
}

} // namespace companion::console
