#pragma once

#include "console/client/Session.h"
#include "console/ui/Ui.h"

#include <QButtonGroup>
#include <QFrame>

class QLabel;
class QPushButton;
class QToolButton;
class QVBoxLayout;

namespace companion::console {

// The rail on the left: mark, search, pages; at its foot the connection and the person. Collapses to icons.
class Rail : public QFrame
{
    Q_OBJECT
public:
    Rail(const Ui &ui, ApiClient &client, Session &session, QWidget *parent = nullptr);
    void addPage(const QString &key, const QString &title, const QString &icon);
    void choose(const QString &key);
    void setProfile(const QString &name)
    {
        m_profile = name;
        showConnection();
    }
    // The system answers with the built-in model.
    void setRehearsal(bool rehearsal)
    {
        m_rehearsal = rehearsal;
        showConnection();
    }
    void setCollapsed(bool collapsed);
    bool isCollapsed() const { return m_collapsed; }

Q_SIGNALS:
    void chosen(const QString &key);
    void searchRequested();
    void collapsedChanged(bool collapsed);
    void schemeChosen(companion::console::ColourScheme scheme);

private:
    struct Entry
    {
        QString key, title, icon;
        QToolButton *button;
    };
    QWidget *head();
    QWidget *foot();
    void personMenu();
    void showConnection();
    QString connectionWords(bool withLatency) const;
    QString fittingWords() const;
    void showPerson();
    void paint();

    Ui m_ui;
    ApiClient &m_client;
    Session &m_session;
    QString m_profile;
    bool m_rehearsal = false;
    bool m_collapsed = false;
    QList<Entry> m_entries;
    QButtonGroup m_group;
    QLabel *m_mark;
    QLabel *m_name;
    QPushButton *m_search;
    QLabel *m_shortcut;
    QToolButton *m_toggle;
    QLabel *m_dot;
    QLabel *m_connection;
    QToolButton *m_person;
    QVBoxLayout *m_pages;
};

} // namespace companion::console
