#include "console/ui/widgets/ConversationView.h"

#include "console/ui/dialogs/TurnDialog.h"
#include "console/ui/widgets/Look.h"

#include <QScrollBar>
#include <QStyle>

namespace companion::console {

namespace {

constexpr int frame_ms = 16;

} // namespace

Bubble::Bubble(const Ui &ui, bool fromUser, QWidget *parent)
    : QFrame(parent)
    , m_ui(ui)
    , m_body(label({}))
    , m_problem(label({}, "problem"))
    , m_figures(button({}, "figures", "link"))
{
    auto *frame = new QFrame;
    frame->setProperty("look", fromUser ? QStringLiteral("bubble-user") : QStringLiteral("bubble"));
    auto *inside = new QVBoxLayout(frame);
    inside->setContentsMargins(space::m, space::s, space::m, space::s);
    inside->addWidget(m_body);
    m_body->setObjectName(fromUser ? QStringLiteral("userText") : QStringLiteral("replyText"));
    m_body->setWordWrap(true);
    m_body->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_body->setFont(Theme::font(type::body));

    m_problem->setObjectName(u"replyProblem");
    m_problem->setWordWrap(true);
    m_problem->hide();
    m_figures->hide();
    m_figures->setToolTip(tr("The exact prompt and all figures"));

    const Qt::Alignment side = fromUser ? Qt::AlignRight : Qt::AlignLeft;
    auto *layout = plain(new QVBoxLayout(this), 2);
    layout->addWidget(frame, 0, side);
    layout->addWidget(m_problem, 0, side);
    layout->addWidget(m_figures, 0, side);
    m_pace.setInterval(frame_ms);
    connect(&m_pace, &QTimer::timeout, this, &Bubble::reveal);
    connect(m_figures, &QPushButton::clicked, this, &Bubble::figuresClicked);
}

void Bubble::showEntry(const ConversationModel::Entry &entry)
{
    using State = ConversationModel::State;
    m_text = entry.text;
    if (entry.state == State::Streaming && !m_ui.theme.reducedMotion()) {
        if (m_text.isEmpty())
            setShown(QStringLiteral("…"));
        m_pace.start();
        return;
    }
    m_pace.stop();
    m_shown = m_text.size();
    setShown(m_text.isEmpty() ? QStringLiteral("–") : m_text);
    m_problem->setText(entry.problem);
    m_problem->setVisible(!entry.problem.isEmpty());
    setLook(m_problem, entry.state == State::Failed ? "problem" : "small");
    m_figures->setVisible(entry.result.has_value());
    if (entry.result) {
        m_figures->setText(figuresText(*entry.result));
        m_figures->setAccessibleName(m_figures->text());
    }
    Q_EMIT grew();
}

// The further behind, the faster; never more than about a fifth of a second behind.
void Bubble::reveal()
{
    if (m_shown >= m_text.size())
        return m_pace.stop();
    m_shown = qMin(m_text.size(), m_shown + qMax<qsizetype>(2, (m_text.size() - m_shown) / 8));
    setShown(m_text.left(m_shown));
    Q_EMIT grew();
}

void Bubble::setShown(const QString &text)
{
    m_body->setText(text);
    fit();
}

// As wide as the text needs, at most 68 characters and what the column has. A wrapping label cannot find that itself.
void Bubble::fit()
{
    const QFontMetrics metrics(m_body->font());
    const int most = qMin(size::bubbleCharacters * metrics.averageCharWidth(), width() - 2 * space::m - 2);
    const QRect needed = metrics.boundingRect(QRect(0, 0, qMax(most, 1), 1 << 20), Qt::TextWordWrap, m_body->text());
    m_body->setFixedSize(qMin(needed.width() + 2, most), needed.height());
}

void Bubble::resizeEvent(QResizeEvent *event)
{
    QFrame::resizeEvent(event);
    fit();
}

ConversationView::ConversationView(const Ui &ui, ConversationModel &model, const QString &emptyText, QWidget *parent)
    : QScrollArea(parent)
    , m_ui(ui)
    , m_model(model)
    , m_column(new QWidget)
    , m_empty(label(emptyText, "quiet"))
{
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFrameShape(QFrame::NoFrame);
    m_column->setProperty("look", QStringLiteral("scrolled"));
    m_layout = new QVBoxLayout(m_column);
    m_layout->setContentsMargins(space::l, space::l, space::l, space::l);
    m_layout->setSpacing(space::m);
    m_empty->setWordWrap(true);
    m_empty->setAlignment(Qt::AlignCenter);
    m_layout->addWidget(m_empty, 1);
    m_layout->addStretch();
    setWidget(m_column);
    connect(&model, &QAbstractItemModel::rowsInserted, this,
            [this](const QModelIndex &, int first, int last) { append(first, last); });
    connect(&model, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex &at) { refresh(at.row()); });
    connect(&model, &QAbstractItemModel::modelReset, this, &ConversationView::clear);
    connect(verticalScrollBar(), &QScrollBar::rangeChanged, this, &ConversationView::follow);
    connect(verticalScrollBar(), &QScrollBar::actionTriggered, this,
            [this] { m_atEnd = verticalScrollBar()->sliderPosition() >= verticalScrollBar()->maximum() - space::s; });
}

void ConversationView::setEmptyText(const QString &text)
{
    m_empty->setText(text);
}

void ConversationView::append(int first, int last)
{
    m_empty->hide();
    m_atEnd = true;
    for (int row = first; row <= last; ++row) {
        auto *bubble = new Bubble(m_ui, m_model.entry(row).fromUser);
        m_layout->insertWidget(m_layout->count() - 1, bubble);
        m_bubbles.append(bubble);
        connect(bubble, &Bubble::grew, this, &ConversationView::follow);
        connect(bubble, &Bubble::figuresClicked, this, [this, row] {
            if (const auto &result = m_model.entry(row).result)
                m_ui.prompts.show(new TurnDialog(*result, this));
        });
        refresh(row);
    }
}

void ConversationView::refresh(int row)
{
    m_bubbles.at(row)->showEntry(m_model.entry(row));
}

void ConversationView::clear()
{
    qDeleteAll(std::exchange(m_bubbles, {}));
    m_empty->show();
}

void ConversationView::follow()
{
    if (m_atEnd)
        verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

} // namespace companion::console
