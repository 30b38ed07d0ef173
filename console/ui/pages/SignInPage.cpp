#include "console/ui/pages/SignInPage.h"

#include "console/ui/widgets/Look.h"

#include <QCheckBox>
#include <QLineEdit>

namespace companion::console {

SignInPage::SignInPage(const Ui &ui, Session &session, QWidget *parent)
    : QWidget(parent)
    , m_ui(ui)
    , m_session(session)
    , m_mark(new QLabel)
    , m_server(new QLineEdit)
    , m_key(new QLineEdit)
    , m_keep(new QCheckBox(tr("Keep the key in this desktop's keyring")))
    , m_problem(label({}, "problem"))
    , m_go(button(tr("Sign in"), "signIn", "primary"))
{
    setObjectName(u"signInPage");
    m_server->setObjectName(u"server");
    m_server->setPlaceholderText(QStringLiteral("http://127.0.0.1:8080"));
    m_key->setObjectName(u"accessKey");
    m_key->setEchoMode(QLineEdit::Password);
    m_keep->setObjectName(u"keepKey");
    m_keep->setChecked(true);
    m_problem->setObjectName(u"signInProblem");
    m_problem->setWordWrap(true);
    m_problem->hide();
    auto *layout = new QVBoxLayout(this);
    layout->addStretch(2);
    layout->addWidget(form(), 0, Qt::AlignHCenter);
    layout->addStretch(3);
    connect(m_go, &QPushButton::clicked, this, &SignInPage::submit);
    connect(m_server, &QLineEdit::returnPressed, this, &SignInPage::submit);
    connect(m_key, &QLineEdit::returnPressed, this, &SignInPage::submit);
    connect(&m_session, &Session::stateChanged, this, &SignInPage::showState);
    connect(&m_session, &Session::refused, this, [this](const Problem &problem) {
        showProblem(problem.status == 401 ? tr("The server does not know this key. Keys are made with "
                                               "“companion-backend access-key create”.")
                                          : problem.sentence());
    });
}

QWidget *SignInPage::form()
{
    auto *frame = card("signInCard");
    frame->setFixedWidth(400);
    auto *layout = new QVBoxLayout(frame);
    layout->setContentsMargins(space::xxl, space::xxl, space::xxl, space::xxl);
    layout->setSpacing(space::l);
    layout->addWidget(m_mark);
    auto *words = plain(new QVBoxLayout, space::xs);
    words->addWidget(label(tr("Sign in"), "page-title"));
    words->addWidget(label(tr("To your companion server, with an access key."), "quiet"));
    layout->addLayout(words);
    layout->addWidget(new FormField(tr("Server"), m_server));
    layout->addWidget(new FormField(tr("Access key"), m_key));
    layout->addWidget(m_keep);
    layout->addWidget(m_problem);
    layout->addWidget(m_go);
    return frame;
}

void SignInPage::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    m_mark->setPixmap(m_ui.theme.pixmap(QStringLiteral("mark"), m_ui.theme.tokens().accent, 32, devicePixelRatioF()));
    (m_server->text().isEmpty() ? m_server : m_key)->setFocus();
}

void SignInPage::setServer(const QUrl &server)
{
    m_server->setText(server.toString());
}

void SignInPage::showProblem(const QString &words)
{
    m_problem->setText(words);
    m_problem->setVisible(!words.isEmpty());
}

void SignInPage::submit()
{
    const QUrl server = QUrl::fromUserInput(m_server->text().trimmed());
    const bool http = server.scheme() == QLatin1StringView("http") || server.scheme() == QLatin1StringView("https");
    if (!server.isValid() || server.host().isEmpty() || !http)
        return showProblem(tr("The server's address looks like http://127.0.0.1:8080."));
    showProblem({});
    if (m_key->text().isEmpty())
        m_session.resume(server); // with the key kept earlier, if there is one
    else
        m_session.signIn(server, m_key->text().trimmed(), m_keep->isChecked());
}

void SignInPage::showState()
{
    const bool busy = m_session.state() == Session::State::SigningIn;
    m_go->setEnabled(!busy);
    m_go->setText(busy ? tr("Signing in…") : tr("Sign in"));
    if (m_session.state() == Session::State::SignedIn)
        m_key->clear();
}

} // namespace companion::console
