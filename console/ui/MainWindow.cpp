#include "console/ui/MainWindow.h"

#include "console/ui/Rail.h"
#include "console/ui/dialogs/PagePalette.h"
#include "console/ui/pages/CharactersPage.h"
#include "console/ui/pages/DashboardPage.h"
#include "console/ui/pages/PaymentsPage.h"
#include "console/ui/pages/PersonaTestPage.h"
#include "console/ui/pages/SignInPage.h"
#include "console/ui/pages/UsersPage.h"
#include "console/ui/widgets/Look.h"

#include <QCloseEvent>
#include <QShortcut>
#include <QStackedWidget>

namespace companion::console {

MainWindow::MainWindow(const Ui &ui, ApiClient &client, Session &session, QSettings &settings, QWidget *parent)
    : QMainWindow(parent)
    , m_ui(ui)
    , m_client(client)
    , m_session(session)
    , m_stats(client)
    , m_characters(client)
    , m_users(client)
    , m_tests(client)
    , m_payments(client)
    , m_heartbeat(client)
    , m_server(settings, "connection/server", QUrl(QStringLiteral("http://127.0.0.1:8080")))
    , m_geometry(settings, "window/geometry")
    , m_railCollapsed(settings, "window/railCollapsed")
    , m_scheme(settings, "window/scheme", ColourScheme::System)
    , m_stack(new QStackedWidget)
    , m_content(new QStackedWidget)
    , m_signIn(new SignInPage(ui, session))
    , m_rail(new Rail(ui, client, session))
    , m_personaTest(new PersonaTestPage(ui, m_characters, m_tests))
    , m_paymentsPage(new PaymentsPage(ui, m_payments))
    , m_line(new QFrame)
    , m_notice(new QFrame)
    , m_noticeText(label({}))
{
    setObjectName(u"mainWindow");
    setWindowTitle(tr("Companion console"));
    addPage(QStringLiteral("dashboard"), tr("Dashboard"), QStringLiteral("dashboard"), new DashboardPage(ui, m_stats));
    addPage(QStringLiteral("characters"), tr("Characters"), QStringLiteral("characters"),
            new CharactersPage(ui, m_characters));
    addPage(QStringLiteral("users"), tr("Users"), QStringLiteral("users"), new UsersPage(ui, m_users));
    addPage(QStringLiteral("payments"), tr("Payments"), QStringLiteral("payments"), m_paymentsPage);
    addPage(QStringLiteral("persona-test"), tr("Persona test"), QStringLiteral("persona-test"), m_personaTest);
    m_stack->addWidget(m_signIn);
    m_stack->addWidget(frame());
    setCentralWidget(m_stack);
    resize(1360, 860);
    restoreGeometry(m_geometry.value());
    m_rail->setCollapsed(m_railCollapsed.value());

    connect(m_rail, &Rail::chosen, this, [this](const QString &key) { goTo({key, {}}); });
    connect(m_paymentsPage, &PaymentsPage::userWanted, this,
            [this](const UserId &user) { goTo({QStringLiteral("users"), user.toString()}); });
    connect(m_rail, &Rail::searchRequested, this, &MainWindow::openPalette);
    connect(m_rail, &Rail::collapsedChanged, this, [this](bool collapsed) { m_railCollapsed.set(collapsed); });
    connect(m_rail, &Rail::schemeChosen, this, [this](ColourScheme scheme) {
        m_scheme.set(scheme);
        m_ui.theme.choose(scheme);
    });
    connect(new QShortcut(QKeySequence(Qt::CTRL | Qt::Key_K), this), &QShortcut::activated, this,
            &MainWindow::openPalette);
    connect(&ui.theme, &Theme::changed, this, &MainWindow::paintLine);
    connect(&session, &Session::stateChanged, this, &MainWindow::showSession);
    connect(&session, &Session::keyringFailed, this, &MainWindow::showNotice);
    m_place = {QStringLiteral("dashboard"), {}};
    m_signIn->setServer(m_server.value());
}

QWidget *MainWindow::frame()
{
    auto *close = button(tr("Close"), "closeNotice");
    connect(close, &QPushButton::clicked, m_notice, &QWidget::hide);
    m_notice->setObjectName(u"notice");
    m_notice->setProperty("look", QStringLiteral("notice"));
    m_noticeText->setObjectName(u"noticeText");
    m_noticeText->setWordWrap(true);
    auto *words = new QHBoxLayout(m_notice);
    words->setContentsMargins(space::m, space::s, space::s, space::s);
    words->addWidget(m_noticeText, 1);
    words->addWidget(close);
    m_notice->hide();
    m_line->setObjectName(u"productionLine");
    m_line->setFixedHeight(size::productionLine);
    m_line->hide();

    auto *frame = new QWidget;
    auto *rows = plain(new QVBoxLayout(frame));
    rows->addWidget(m_line);
    auto *columns = plain(new QHBoxLayout);
    rows->addLayout(columns, 1);
    columns->addWidget(m_rail);
    auto *right = plain(new QVBoxLayout);
    auto *noticeRow = plain(new QVBoxLayout);
    noticeRow->setContentsMargins(space::page, 0, space::page, 0);
    noticeRow->addWidget(m_notice);
    right->addLayout(noticeRow);
    right->addWidget(m_content, 1);
    columns->addLayout(right, 1);
    return frame;
}

void MainWindow::addPage(const QString &key, const QString &title, const QString &icon, ConsolePage *page)
{
    m_pages.append({key, title, icon, page});
    page->setObjectName(u"pageOf_" + key);
    m_content->addWidget(page);
    m_rail->addPage(key, title, icon);
    connect(page, &ConsolePage::settled, this, [this] {
        if (isSettled())
            Q_EMIT settled();
    });
    connect(page, &ConsolePage::wandered, this, [this, key](const QString &detail) {
        if (m_place.page == key)
            m_place.detail = detail;
    });
}

void MainWindow::begin()
{
    m_session.resume(m_server.value());
}

void MainWindow::setServer(const QUrl &server)
{
    m_server.set(server);
    m_signIn->setServer(server);
}

void MainWindow::goTo(const Place &place)
{
    m_showsSignIn = place.page == QLatin1StringView("sign-in");
    for (const Entry &entry : std::as_const(m_pages)) {
        if (entry.key != place.page)
            continue;
        m_place = place;
        m_rail->choose(place.page);
        m_content->setCurrentWidget(entry.page);
        setWindowTitle(tr("%1 – Companion console").arg(entry.title));
        if (m_session.state() != Session::State::SignedIn)
            return;
        entry.page->setFocus();
        entry.page->open(place.detail);
        return;
    }
}

bool MainWindow::isSettled() const
{
    const auto *page = qobject_cast<const ConsolePage *>(m_content->currentWidget());
    if (m_session.state() != Session::State::SignedIn)
        return m_showsSignIn && m_session.state() == Session::State::SignedOut && m_signIn->isSettled();
    return page && page->isSettled();
}

void MainWindow::showSession()
{
    if (m_session.state() == Session::State::SigningIn)
        return;
    const bool signedIn = m_session.state() == Session::State::SignedIn;
    m_stack->setCurrentIndex(signedIn ? 1 : 0);
    if (!signedIn) {
        m_heartbeat.stop();
        m_ui.images.clear();
        showSystem({}); // the next server may be another one
        return;
    }
    m_notice->hide();
    m_paymentsPage->setRoles(m_session.user().roles);
    m_server.set(m_client.server());
    m_heartbeat.start();
    m_stats.system().then(this, [this](const ApiResult<SystemInfo> &system) {
        if (system)
            showSystem(*system);
    });
    goTo(m_place);
}

void MainWindow::showSystem(const SystemInfo &system)
{
    m_production = system.environment == QLatin1StringView("production");
    m_rail->setProfile(system.environment.isEmpty() ? QString() : m_production ? tr("Production") : tr("Development"));
    m_rail->setRehearsal(system.rehearsal);
    m_personaTest->setRehearsal(system.rehearsal);
    paintLine();
}

// Nobody should edit production by mistake: its windows carry a line in its colour.
void MainWindow::paintLine()
{
    m_line->setVisible(m_production);
    m_line->setStyleSheet(QStringLiteral("background: %1").arg(m_ui.theme.tokens().danger.name()));
}

void MainWindow::showNotice(const QString &words)
{
    m_noticeText->setText(words);
    m_notice->show();
    m_signIn->showProblem(words);
}

void MainWindow::openPalette()
{
    if (m_session.state() != Session::State::SignedIn)
        return;
    QList<PagePalette::Target> targets;
    for (const Entry &entry : std::as_const(m_pages))
        targets.append({entry.key, entry.title, m_ui.theme.icon(entry.icon)});
    auto *palette = new PagePalette(targets, this);
    connect(palette, &PagePalette::chosen, this, [this](const QString &place) { goTo(Place::parse(place)); });
    palette->move(mapToGlobal(QPoint((width() - palette->width()) / 2, 96)));
    m_ui.prompts.show(palette);
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    m_geometry.set(saveGeometry());
    QMainWindow::closeEvent(event);
}

} // namespace companion::console
