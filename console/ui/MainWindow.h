#pragma once

#include "console/client/CharactersApi.h"
#include "console/client/Heartbeat.h"
#include "console/client/PaymentsApi.h"
#include "console/client/PersonaTestApi.h"
#include "console/client/Session.h"
#include "console/client/StatsApi.h"
#include "console/client/UsersApi.h"
#include "console/models/Place.h"
#include "console/models/Setting.h"
#include "console/ui/Ui.h"

#include <QMainWindow>

class QFrame;
class QLabel;
class QStackedWidget;

namespace companion::console {

class ConsolePage;
class PaymentsPage;
class PersonaTestPage;
class Rail;
class SignInPage;

// The frame: sign-in until somebody is signed in, then the rail and its pages.
class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    MainWindow(const Ui &ui, ApiClient &client, Session &session, QSettings &settings, QWidget *parent = nullptr);

    // Signs in with the key kept for the server of last time, or shows the form.
    void begin();
    void setServer(const QUrl &server);
    void goTo(const Place &place);
    Place place() const { return m_place; }
    bool isSettled() const; // signed in, and the page has what it asked for
    PersonaTestPage *personaTest() const { return m_personaTest; }

Q_SIGNALS:
    void settled();

protected:
    void closeEvent(QCloseEvent *event) override;

private:
    void addPage(const QString &key, const QString &title, const QString &icon, ConsolePage *page);
    QWidget *frame();
    void showSession();
    void showSystem(const SystemInfo &system);
    void showNotice(const QString &words);
    void openPalette();
    void paintLine();

    struct Entry
    {
        QString key, title, icon;
        ConsolePage *page;
    };

    Ui m_ui;
    ApiClient &m_client;
    Session &m_session;
    StatsApi m_stats;
    CharactersApi m_characters;
    UsersApi m_users;
    PersonaTestApi m_tests;
    PaymentsApi m_payments;
    Heartbeat m_heartbeat;
    Setting<QUrl> m_server;
    Setting<QByteArray> m_geometry;
    Setting<bool> m_railCollapsed;
    Setting<ColourScheme> m_scheme;
    Place m_place;
    bool m_production = false;
    bool m_showsSignIn = false; // asked for by name
    QList<Entry> m_pages;
    QStackedWidget *m_stack;
    QStackedWidget *m_content;
    SignInPage *m_signIn;
    Rail *m_rail;
    PersonaTestPage *m_personaTest;
    PaymentsPage *m_paymentsPage;
    QFrame *m_line;
    QFrame *m_notice;
    QLabel *m_noticeText;
};

} // namespace companion::console
