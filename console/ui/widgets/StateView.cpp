#include "console/ui/widgets/StateView.h"

#include "console/ui/widgets/Look.h"

#include <QPainter>

namespace companion::console {

Skeleton::Skeleton(Theme &theme, Shape shape, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_shape(shape)
{
    setAccessibleName(tr("Loading"));
}

void Skeleton::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.tokens().border);
    if (m_shape == Shape::Block) {
        painter.drawRoundedRect(rect().adjusted(space::l, space::l, -space::l, -space::l), radius::control,
                                radius::control);
        return;
    }
    const int widths[] = {22, 34, 18, 28};
    for (int row = 0; row * size::row < height(); ++row) {
        const int y = row * size::row + (size::row - space::m) / 2;
        painter.drawRoundedRect(space::m, y, width() * widths[row % 4] / 100, space::m, space::xs, space::xs);
        painter.drawRoundedRect(width() * 3 / 4, y, width() * widths[(row + 1) % 4] / 200, space::m, space::xs,
                                space::xs);
    }
}

StateView::StateView(Theme &theme, QWidget *content, Skeleton::Shape shape, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_content(content)
    , m_blank(new QWidget)
    , m_skeleton(new Skeleton(theme, shape))
    , m_icon(new QLabel)
    , m_what(label({}, "strong"))
    , m_how(label({}, "quiet"))
    , m_retry(button(tr("Retry"), "retry"))
    , m_message(messagePage())
    , m_stack(new QStackedLayout(this))
{
    for (QWidget *page : {m_blank, static_cast<QWidget *>(m_skeleton), m_message, m_content})
        m_stack->addWidget(page);
    m_delay.setSingleShot(true);
    connect(&m_delay, &QTimer::timeout, this, [this] { m_stack->setCurrentWidget(m_skeleton); });
}

QWidget *StateView::messagePage()
{
    auto *page = new QWidget;
    auto *layout = plain(new QVBoxLayout(page), space::s);
    m_what->setObjectName(u"stateWhat");
    m_how->setObjectName(u"stateHow");
    m_what->setAlignment(Qt::AlignCenter);
    m_how->setAlignment(Qt::AlignCenter);
    m_how->setWordWrap(true);
    layout->addStretch();
    layout->addWidget(m_icon, 0, Qt::AlignHCenter);
    layout->addWidget(m_what);
    layout->addWidget(m_how);
    layout->addWidget(m_retry, 0, Qt::AlignHCenter);
    layout->addStretch();
    connect(m_retry, &QPushButton::clicked, this, &StateView::retryRequested);
    return page;
}

void StateView::setLoading()
{
    m_state = State::Loading;
    if (m_hasContent)
        return;
    m_stack->setCurrentWidget(m_blank);
    m_delay.start(motion::skeletonDelay_ms);
}

void StateView::setContent()
{
    m_hasContent = true;
    settle(State::Content, m_content);
}

void StateView::setEmpty(const QString &what, const QString &how)
{
    m_hasContent = false;
    showMessage("empty", what, how, false);
    settle(State::Empty, m_message);
}

void StateView::setFailed(const Problem &problem)
{
    m_hasContent = false;
    showMessage("alert", tr("This could not be loaded"), problem.sentence(), true);
    settle(State::Failed, m_message);
}

void StateView::settle(State state, QWidget *page)
{
    m_delay.stop();
    m_state = state;
    m_stack->setCurrentWidget(page);
    Q_EMIT settled();
}

void StateView::showMessage(const char *icon, const QString &what, const QString &how, bool retry)
{
    m_icon->setPixmap(m_theme.pixmap(QString::fromLatin1(icon), m_theme.tokens().disabled, 28, devicePixelRatioF()));
    m_what->setText(what);
    m_how->setText(how);
    m_retry->setVisible(retry);
}

} // namespace companion::console
