#include "console/ui/Rail.h"

#include "console/models/Format.h"
#include "console/models/Words.h"
#include "console/ui/widgets/Look.h"

#include <QActionGroup>
#include <QMenu>
#include <QPainter>
#include <QToolButton>

namespace companion::console {

namespace {

// QToolButton leaves only 4 pixels between icon and text.
const QString gap(QChar(0x2002));

// What foot() leaves of the rail for the connection's words, beside the margins, the dot and the rail's hairline.
constexpr int connectionRoom = size::rail - 3 * space::s - space::m - 2 * space::s - 1;

} // namespace

Rail::Rail(const Ui &ui, ApiClient &client, Session &session, QWidget *parent)
    : QFrame(parent)
    , m_ui(ui)
    , m_client(client)
    , m_session(session)
    , m_mark(new QLabel)
    , m_name(label(tr("Companion"), "strong"))
    , m_search(button(tr("Search"), "openSearch", "search"))
    , m_shortcut(label(QStringLiteral("Ctrl+K"), "small"))
    , m_toggle(new QToolButton)
    , m_dot(new QLabel)
    , m_connection(label({}, "small"))
    , m_person(new QToolButton)
    , m_pages(plain(new QVBoxLayout, 2))
{
    setObjectName(u"rail");
    setProperty("look", QStringLiteral("rail"));
    m_group.setExclusive(true);
    auto *layout = plain(new QVBoxLayout(this));
    layout->addWidget(head());
    auto *pages = new QWidget;
    auto *inside = plain(new QVBoxLayout(pages));
    inside->setContentsMargins(space::s, space::s, space::s, space::s);
    inside->addLayout(m_pages);
    inside->addStretch();
    layout->addWidget(pages, 1);
    layout->addWidget(foot());
    connect(&ui.theme, &Theme::changed, this, &Rail::paint);
    connect(&client, &ApiClient::connectionChanged, this, &Rail::showConnection);
    connect(&session, &Session::stateChanged, this, &Rail::showPerson);
    setCollapsed(false);
    showPerson();
}

QWidget *Rail::head()
{
    m_toggle->setObjectName(u"collapseRail");
    m_toggle->setCursor(Qt::PointingHandCursor);
    connect(m_toggle, &QToolButton::clicked, this, [this] {
        setCollapsed(!m_collapsed);
        Q_EMIT collapsedChanged(m_collapsed);
    });
    connect(m_search, &QPushButton::clicked, this, &Rail::searchRequested);
    m_search->setToolTip(tr("Search (Ctrl+K)"));
    m_shortcut->setAttribute(Qt::WA_TransparentForMouseEvents);
    auto *onButton = new QHBoxLayout(m_search);
    onButton->setContentsMargins(0, 0, space::s, 0);
    onButton->addStretch();
    onButton->addWidget(m_shortcut);
    auto *head = new QWidget;
    auto *layout = new QVBoxLayout(head);
    layout->setContentsMargins(space::m, space::l, space::m, 0);
    layout->setSpacing(space::m);
    auto *row = plain(new QHBoxLayout, space::s);
    row->addWidget(m_mark);
    row->addWidget(m_name, 1);
    row->addWidget(m_toggle);
    layout->addLayout(row);
    layout->addWidget(m_search);
    return head;
}

QWidget *Rail::foot()
{
    m_dot->setFixedSize(space::s, space::s);
    m_dot->setObjectName(u"connectionDot");
    m_connection->setObjectName(u"connection");
    m_person->setObjectName(u"person");
    m_person->setProperty("look", QStringLiteral("rail"));
    m_person->setPopupMode(QToolButton::InstantPopup);
    m_person->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    personMenu();
    auto *foot = new QFrame;
    foot->setProperty("look", QStringLiteral("foot"));
    auto *layout = new QVBoxLayout(foot);
    layout->setContentsMargins(space::s, space::m, space::s, space::m);
    layout->setSpacing(space::s);
    auto *row = plain(new QHBoxLayout, space::s);
    row->setContentsMargins(space::m, 0, space::s, 0);
    row->addWidget(m_dot);
    row->addWidget(m_connection, 1);
    layout->addLayout(row);
    layout->addWidget(m_person);
    return foot;
}

void Rail::personMenu()
{
    auto *menu = new QMenu(m_person);
    auto *schemes = new QActionGroup(menu);
    const auto addScheme = [&](const QString &text, ColourScheme scheme) {
        QAction *action = menu->addAction(text);
        action->setCheckable(true);
        action->setChecked(m_ui.theme.choice() == scheme);
        schemes->addAction(action);
        connect(action, &QAction::triggered, this, [this, scheme] { Q_EMIT schemeChosen(scheme); });
    };
    addScheme(tr("Theme of the system"), ColourScheme::System);
    addScheme(tr("Light"), ColourScheme::Light);
    addScheme(tr("Dark"), ColourScheme::Dark);
    menu->addSeparator();
    QAction *leave = menu->addAction(tr("Sign out"));
    leave->setObjectName(u"signOut");
    connect(leave, &QAction::triggered, &m_session, &Session::signOut);
    m_person->setMenu(menu);
}

void Rail::addPage(const QString &key, const QString &title, const QString &icon)
{
    auto *button = new QToolButton;
    button->setObjectName(u"page_" + key);
    button->setProperty("look", QStringLiteral("rail"));
    button->setText(gap + title);
    button->setAccessibleName(title);
    button->setCheckable(true);
    button->setIconSize({size::icon, size::icon});
    button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    button->setCursor(Qt::PointingHandCursor);
    m_group.addButton(button);
    m_pages->addWidget(button);
    m_entries.append({key, title, icon, button});
    connect(button, &QToolButton::clicked, this, [this, key] { Q_EMIT chosen(key); });
    connect(button, &QToolButton::toggled, this, &Rail::paint);
    setCollapsed(m_collapsed);
}

void Rail::choose(const QString &key)
{
    for (const Entry &entry : std::as_const(m_entries))
        if (entry.key == key)
            entry.button->setChecked(true);
}

void Rail::setCollapsed(bool collapsed)
{
    m_collapsed = collapsed;
    setFixedWidth(collapsed ? size::railCollapsed : size::rail);
    m_name->setVisible(!collapsed);
    m_mark->setVisible(!collapsed);
    m_search->setText(collapsed ? QString() : tr("Search"));
    m_shortcut->setVisible(!collapsed);
    m_connection->setVisible(!collapsed);
    const auto style = collapsed ? Qt::ToolButtonIconOnly : Qt::ToolButtonTextBesideIcon;
    for (const Entry &entry : std::as_const(m_entries)) {
        entry.button->setToolButtonStyle(style);
        entry.button->setToolTip(collapsed ? entry.title : QString());
    }
    m_person->setToolButtonStyle(style);
    m_toggle->setAccessibleName(collapsed ? tr("Widen the rail") : tr("Narrow the rail"));
    m_toggle->setToolTip(m_toggle->accessibleName());
    paint();
}

void Rail::paint()
{
    const Tokens &tokens = m_ui.theme.tokens();
    m_mark->setPixmap(m_ui.theme.pixmap(QStringLiteral("mark"), tokens.accent, 22, devicePixelRatioF()));
    m_search->setIcon(m_ui.theme.icon(QStringLiteral("search")));
    m_toggle->setIcon(m_ui.theme.icon(m_collapsed ? QStringLiteral("expand") : QStringLiteral("collapse")));
    m_person->setIcon(m_ui.theme.icon(QStringLiteral("person")));
    for (const Entry &entry : std::as_const(m_entries))
        entry.button->setIcon(
            m_ui.theme.icon(entry.icon, entry.button->isChecked() ? tokens.accent : tokens.secondary));
    showConnection();
}

void Rail::showConnection()
{
    using Connection = ApiClient::Connection;
    const Connection state = m_client.connection();
    const Tokens &tokens = m_ui.theme.tokens();
    const QColor colour = state == Connection::Online ? tokens.positive
        : state == Connection::Offline                ? tokens.danger
                                                      : tokens.disabled;
    QPixmap dot(QSize(space::s, space::s) * devicePixelRatioF());
    dot.setDevicePixelRatio(devicePixelRatioF());
    dot.fill(Qt::transparent);
    QPainter painter(&dot);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawEllipse(QRectF(0, 0, space::s, space::s));
    painter.end();
    m_dot->setPixmap(dot);
    const QString words = connectionWords(true);
    m_connection->setText(fittingWords());
    m_connection->setAccessibleName(words);
    m_dot->setToolTip(words + u'\n' + m_client.server().toString()
                      + (m_rehearsal ? u'\n' + tr("Rehearsal model: replies are not a language model's") : QString()));
    m_connection->setToolTip(m_dot->toolTip());
    m_dot->setAccessibleName(words);
}

QString Rail::connectionWords(bool withLatency) const
{
    QStringList words{m_profile.isEmpty() ? m_client.server().host() : m_profile};
    if (m_client.connection() == ApiClient::Connection::Offline)
        words.append(tr("no answer"));
    else if (withLatency && m_client.latency_ms() >= 0)
        words.append(format::milliseconds(m_client.latency_ms()));
    if (m_rehearsal)
        words.append(tr("rehearsal"));
    return words.join(QStringLiteral(" · "));
}

// Where not all of it fits the latency goes first: it is in the tooltip, and what answers matters more.
QString Rail::fittingWords() const
{
    m_connection->ensurePolished();
    const QFontMetrics metrics = m_connection->fontMetrics();
    const QString all = connectionWords(true);
    if (metrics.horizontalAdvance(all) <= connectionRoom)
        return all;
    return metrics.elidedText(connectionWords(false), Qt::ElideMiddle, connectionRoom);
}

void Rail::showPerson()
{
    const User &user = m_session.user();
    QStringList roles;
    for (const Role role : user.roles)
        if (role != Role::User)
            roles.append(words::role(role));
    m_person->setText(gap + (user.displayName.isEmpty() ? user.email : user.displayName));
    m_person->setToolTip(user.email + (roles.isEmpty() ? QString() : u'\n' + roles.join(QStringLiteral(", "))));
    m_person->setAccessibleName(tr("Account: %1").arg(user.email));
}

} // namespace companion::console
