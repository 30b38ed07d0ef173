#pragma once

#include "console/client/Session.h"
#include "console/ui/Ui.h"

#include <QWidget>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace companion::console {

class SignInPage : public QWidget
{
    Q_OBJECT
public:
    SignInPage(const Ui &ui, Session &session, QWidget *parent = nullptr);
    void setServer(const QUrl &server);
    void showProblem(const QString &words);

protected:
    void showEvent(QShowEvent *event) override;

private:
    QWidget *form();
    void submit();
    void showState();

    Ui m_ui;
    Session &m_session;
    QLabel *m_mark;
    QLineEdit *m_server;
    QLineEdit *m_key;
    QCheckBox *m_keep;
    QLabel *m_problem;
    QPushButton *m_go;
};

} // namespace companion::console
