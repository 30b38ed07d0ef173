#include "console/ui/pages/money/MoneyTab.h"

#include "console/ui/widgets/Look.h"

#include <QKeyEvent>
#include <QScrollArea>

namespace companion::console {

namespace {

constexpr int searchWidth = 260;
constexpr int paneWidth = 508;
constexpr int arrows_ms = 180; // a held arrow key asks for the last row alone

} // namespace

MoneyList::MoneyList(const Ui &ui, const char *name, const QString &title, const Words &words, QWidget *parent)
    : QWidget(parent)
    , m_words(words)
    , m_table(new DataTable(ui, title))
    , m_view(new StateView(ui.theme, m_table, Skeleton::Shape::Rows))
    , m_splitter(new QSplitter(Qt::Horizontal))
    , m_filters(plain(new QHBoxLayout, space::s))
    , m_actions(plain(new QHBoxLayout, space::s))
{
    m_table->setObjectName(QString::fromLatin1(name));
    auto *frame = card();
    auto *inside = plain(new QVBoxLayout(frame));
    inside->setContentsMargins(1, space::xs, 1, space::xs);
    inside->addWidget(m_view);
    m_splitter->addWidget(frame);
    m_splitter->setHandleWidth(space::gap);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setStretchFactor(0, 1);
    auto *top = plain(new QHBoxLayout, space::s);
    top->addLayout(m_filters);
    top->addStretch();
    top->addLayout(m_actions);
    auto *layout = plain(new QVBoxLayout(this), space::gap);
    layout->addLayout(top);
    layout->addWidget(m_splitter, 1);
    m_typing.setSingleShot(true);
    m_arrows.setSingleShot(true);
    connect(&m_typing, &QTimer::timeout, this, &MoneyList::searchChanged);
    connect(&m_arrows, &QTimer::timeout, this, [this] {
        if (current().isValid() && isPaneShown())
            Q_EMIT opened(current().siblingAtColumn(0));
    });
    connect(m_view, &StateView::settled, this, &MoneyList::settled);
    connect(m_view, &StateView::retryRequested, this, &MoneyList::retryRequested);
    const auto openRow = [this](const QModelIndex &index) {
        m_arrows.stop();
        Q_EMIT opened(index.siblingAtColumn(0));
    };
    connect(m_table, &DataTable::opened, this, openRow);
    connect(m_table, &QTableView::clicked, this, openRow);
}

void MoneyList::addSearch(const char *name, const QString &placeholder)
{
    m_search = new QLineEdit;
    m_search->setObjectName(QString::fromLatin1(name));
    m_search->setAccessibleName(placeholder);
    m_search->setPlaceholderText(placeholder);
    m_search->setClearButtonEnabled(true);
    m_search->setFixedWidth(searchWidth);
    m_filters->addWidget(m_search);
    connect(m_search, &QLineEdit::textChanged, this, [this] { m_typing.start(motion::typeahead_ms); });
}

void MoneyList::addFilter(QWidget *filter)
{
    m_filters->addWidget(filter);
}

void MoneyList::addAction(QWidget *action)
{
    m_actions->addWidget(action);
}

QString MoneyList::searched() const
{
    return m_search ? m_search->text().trimmed() : QString();
}

void MoneyList::follow(ListNews &news, const std::function<bool()> &filtered)
{
    connect(&news, &ListNews::loading, m_view, &StateView::setLoading);
    connect(&news, &ListNews::failed, m_view, &StateView::setFailed);
    connect(&news, &ListNews::loaded, this, [this, filtered] {
        if (m_table->model()->rowCount() > 0)
            m_view->setContent();
        else if (filtered())
            m_view->setEmpty(m_words.found, m_words.foundHow);
        else
            m_view->setEmpty(m_words.none, m_words.noneHow);
    });
    // The selection model is made with the model, which stands by now.
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] {
        if (isPaneShown())
            m_arrows.start(arrows_ms);
    });
}

void MoneyList::setPane(QWidget *pane, const QList<int> &spared)
{
    m_pane = pane;
    m_spared = spared;
    m_splitter->addWidget(pane);
    m_splitter->setStretchFactor(1, 0);
    pane->setMinimumWidth(paneWidth - 80);
    pane->hide();
}

void MoneyList::showPane()
{
    if (isPaneShown())
        return;
    m_pane->show();
    for (const int column : std::as_const(m_spared))
        if (!m_table->isColumnHidden(column)) {
            m_table->hideColumn(column);
            m_hidden.append(column);
        }
    m_splitter->setSizes({std::max(m_splitter->width() - paneWidth, paneWidth), paneWidth});
}

void MoneyList::choose(const QString &key)
{
    const QAbstractItemModel &model = *m_table->model();
    for (int row = 0; row < model.rowCount(); ++row)
        if (model.index(row, 0).data(KeyRole).toString() == key) {
            const QSignalBlocker quiet(m_table->selectionModel());
            m_table->selectionModel()->setCurrentIndex(model.index(row, 0),
                                                       QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
            m_table->viewport()->update();
        }
}

void MoneyList::hidePane()
{
    m_arrows.stop();
    if (!isPaneShown())
        return;
    m_pane->hide();
    for (const int column : std::exchange(m_hidden, {}))
        m_table->showColumn(column);
    m_table->setFocus();
    Q_EMIT paneClosed();
}

void MoneyList::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape && isPaneShown())
        hidePane();
    else
        QWidget::keyPressEvent(event);
}

QWidget *scrolled(QWidget *content)
{
    content->setProperty("look", QStringLiteral("scrolled"));
    auto *area = new QScrollArea;
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    area->setWidget(content);
    return area;
}

} // namespace companion::console
