#pragma once

#include "console/client/Session.h"
#include "console/ui/Ui.h"

#include <QTimer>
#include <QWidget>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace companion::console {

class ChipGroup;
class FormField;

// The way in. Which ways there are is the server's to say: while its address is typed it is asked, and where it offers
// Firebase the form shows email and password.
class SignInPage : public QWidget
{
    Q_OBJECT
public:
    enum Way { ByEmail, ByKey };

    SignInPage(const Ui &ui, Session &session, QWidget *parent = nullptr);
    void setServer(const QUrl &server);
    void showProblem(const QString &words);
    Way way() const;
    bool isSettled() const { return m_asked; } // the server has said how one may sign in

protected:
    void showEvent(QShowEvent *event) override;

private:
    QWidget *form();
    QUrl server() const; // empty while what is typed is none
    void askServer();
    void takeOffers(const QUrl &from, const SignInOffers &offers);
    void showWay();
    void submit();
    void showRefusal(const Problem &problem);
    void showState();
    void focusFirstEmpty();

    Ui m_ui;
    Session &m_session;
    std::optional<SignInOffer> m_offer; // Firebase's
    bool m_asked = false;
    QTimer m_typing;
    QLabel *m_mark;
    QLabel *m_words;
    QLineEdit *m_server;
    ChipGroup *m_ways;
    QLineEdit *m_email;
    QLineEdit *m_password;
    QLineEdit *m_key;
    FormField *m_emailField;
    FormField *m_passwordField;
    FormField *m_keyField;
    QCheckBox *m_keep;
    QLabel *m_problem;
    QPushButton *m_go;
};

} // namespace companion::console
