#include "console/ui/dialogs/PagePalette.h"

#include "console/ui/widgets/Look.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>

namespace companion::console {

PagePalette::PagePalette(const QList<Target> &targets, QWidget *parent)
    : QDialog(parent, Qt::Popup | Qt::FramelessWindowHint)
    , m_targets(targets)
    , m_text(new QLineEdit)
    , m_list(new QListWidget)
{
    setObjectName(u"pagePalette");
    setWindowTitle(tr("Search"));
    m_text->setObjectName(u"paletteText");
    m_text->setAccessibleName(tr("Search"));
    m_text->setPlaceholderText(tr("Go to a page, or to a user by email"));
    m_list->setObjectName(u"paletteList");
    m_list->setAccessibleName(tr("Found"));
    m_list->setFocusPolicy(Qt::NoFocus);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::m, space::m, space::m, space::m);
    layout->setSpacing(space::s);
    layout->addWidget(m_text);
    layout->addWidget(m_list);
    resize(460, 260);
    m_text->installEventFilter(this);
    connect(m_text, &QLineEdit::textChanged, this, &PagePalette::filter);
    connect(m_text, &QLineEdit::returnPressed, this, &PagePalette::take);
    connect(m_list, &QListWidget::itemClicked, this, &PagePalette::take);
    filter({});
    m_text->setFocus();
}

void PagePalette::filter(const QString &text)
{
    m_list->clear();
    for (const Target &target : m_targets)
        if (target.title.contains(text.trimmed(), Qt::CaseInsensitive)) {
            auto *item = new QListWidgetItem(target.icon, target.title, m_list);
            item->setData(Qt::UserRole, target.place);
        }
    if (text.contains(u'@')) {
        auto *item = new QListWidgetItem(tr("User %1").arg(text.trimmed()), m_list);
        item->setData(Qt::UserRole, QString(QStringLiteral("users/") + text.trimmed()));
    }
    m_list->setCurrentRow(0);
}

void PagePalette::take()
{
    if (const QListWidgetItem *item = m_list->currentItem()) {
        const QString place = item->data(Qt::UserRole).toString();
        accept();
        Q_EMIT chosen(place);
    }
}

// Arrows move in the list while the text keeps the focus.
bool PagePalette::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent *>(event)->key();
        const int step = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : 0;
        if (step != 0) {
            m_list->setCurrentRow(qBound(0, m_list->currentRow() + step, m_list->count() - 1));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace companion::console
