#include "console/ui/widgets/Facts.h"

#include "console/models/Format.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/Look.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTimer>

namespace companion::console {

namespace {

constexpr int copiedFor_ms = 1500;

// A long id keeps its beginning and its end; the whole is in the tooltip, and what the button copies.
class IdLabel : public QLabel
{
public:
    explicit IdLabel(const QString &id)
        : m_id(id)
    {
        setProperty("look", QStringLiteral("small"));
        setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        setToolTip(id);
        setAccessibleName(id);
    }

protected:
    void resizeEvent(QResizeEvent *event) override
    {
        setText(fontMetrics().elidedText(m_id, Qt::ElideMiddle, width()));
        QLabel::resizeEvent(event);
    }

private:
    QString m_id;
};

} // namespace

Facts::Facts(const Ui &ui, QWidget *parent)
    : QWidget(parent)
    , m_ui(ui)
    , m_grid(plain(new QGridLayout(this), space::xs))
{
    m_grid->setHorizontalSpacing(space::l);
    m_grid->setColumnStretch(1, 1);
}

void Facts::clear()
{
    while (QLayoutItem *item = m_grid->takeAt(0)) {
        if (item->widget())
            item->widget()->deleteLater();
        delete item;
    }
    m_rows = 0;
}

void Facts::add(const QString &name, const QString &value, const QString &exact)
{
    auto *text = label(value);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    text->setToolTip(exact);
    text->setWordWrap(true);
    text->setAlignment(Qt::AlignRight);
    text->setAccessibleName(name + u' ' + value);
    m_grid->addWidget(label(name, "quiet"), m_rows, 0, Qt::AlignTop);
    m_grid->addWidget(text, m_rows++, 1, 1, 2);
}

void Facts::add(const QString &name, const QDateTime &time)
{
    add(name, format::relativeTime(time, m_ui.clock.now()), format::exactTime(time));
}

void Facts::addId(const QString &name, const QString &id, const QString &what)
{
    auto *text = new IdLabel(id);
    auto *copy = button(tr("Copy"), "copyId", "link");
    copy->setAccessibleName(what);
    connect(copy, &QPushButton::clicked, copy, [copy, id] {
        QGuiApplication::clipboard()->setText(id);
        copy->setText(tr("Copied"));
        QTimer::singleShot(copiedFor_ms, copy, [copy] { copy->setText(tr("Copy")); });
    });
    m_grid->addWidget(label(name, "quiet"), m_rows, 0);
    m_grid->addWidget(text, m_rows, 1);
    m_grid->addWidget(copy, m_rows++, 2);
}

void fitToRows(DataTable *table)
{
    const int rows = table->model()->rowCount();
    table->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    table->setFixedHeight(table->horizontalHeader()->height() + rows * table->verticalHeader()->defaultSectionSize()
                          + 2);
}

} // namespace companion::console
