#include "console/ui/pages/SignInPage.h"

#include "console/ui/widgets/ChipGroup.h"
#include "console/ui/widgets/Look.h"

#include <QCheckBox>
#include <QLineEdit>
#include <algorithm>

namespace companion::console {

namespace {

constexpr int typingPause_ms = 350;

QLineEdit *lineEdit(const char *name, bool hidden = false)
{
    auto *edit = new QLineEdit;
    edit->setObjectName(QString::fromLatin1(name));
    if (hidden)
        edit->setEchoMode(QLineEdit::Password);
    return edit;
}

} // namespace

SignInPage::SignInPage(const Ui &ui, Session &session, QWidget *parent)
    : QWidget(parent)
    , m_ui(ui)
    , m_session(session)
    , m_mark(new QLabel)
    , m_words(label({}, "quiet"))
    , m_server(lineEdit("server"))
    , m_ways(new ChipGroup(tr("How to sign in")))
    , m_email(lineEdit("email"))
    , m_password(lineEdit("password", true))
    , m_key(lineEdit("accessKey", true))
    , m_emailField(new FormField(tr("Email"), m_email))
    , m_passwordField(new FormField(tr("Password"), m_password))
    , m_keyField(new FormField(tr("Access key"), m_key))
    , m_keep(new QCheckBox)
    , m_problem(label({}, "problem"))
    , m_go(button(tr("Sign in"), "signIn", "primary"))
{
    setObjectName(u"signInPage");
    m_server->setPlaceholderText(QStringLiteral("http://127.0.0.1:8080"));
    m_email->setInputMethodHints(Qt::ImhEmailCharactersOnly);
    m_ways->add(tr("Email and password"), ByEmail, "byEmail");
    m_ways->add(tr("Access key"), ByKey, "byKey");
    m_ways->choose(ByKey);
    m_keep->setObjectName(u"keepKey");
    m_keep->setChecked(true);
    m_problem->setObjectName(u"signInProblem");
    m_problem->setWordWrap(true);
    m_problem->hide();
    m_typing.setSingleShot(true);
    m_typing.setInterval(typingPause_ms);
    auto *layout = new QVBoxLayout(this);
    layout->addStretch(2);
    layout->addWidget(form(), 0, Qt::AlignHCenter);
    layout->addStretch(3);
    showWay();
    connect(m_go, &QPushButton::clicked, this, &SignInPage::submit);
    for (QLineEdit *edit : {m_server, m_email, m_password, m_key})
        connect(edit, &QLineEdit::returnPressed, this, &SignInPage::submit);
    connect(m_server, &QLineEdit::textChanged, &m_typing, qOverload<>(&QTimer::start));
    connect(&m_typing, &QTimer::timeout, this, &SignInPage::askServer);
    connect(m_ways, &ChipGroup::changed, this, [this] {
        showProblem({});
        showWay();
        focusFirstEmpty();
    });
    connect(&m_session, &Session::stateChanged, this, &SignInPage::showState);
    connect(&m_session, &Session::offersFound, this, &SignInPage::takeOffers);
    connect(&m_session, &Session::refused, this, &SignInPage::showRefusal);
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
    words->addWidget(m_words);
    layout->addLayout(words);
    layout->addWidget(new FormField(tr("Server"), m_server));
    for (QWidget *part :
         std::initializer_list<QWidget *>{m_ways, m_emailField, m_passwordField, m_keyField, m_keep, m_problem, m_go})
        layout->addWidget(part);
    return frame;
}

SignInPage::Way SignInPage::way() const
{
    return m_offer && m_ways->chosen() == ByEmail ? ByEmail : ByKey;
}

void SignInPage::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    m_mark->setPixmap(m_ui.theme.pixmap(QStringLiteral("mark"), m_ui.theme.tokens().accent, 32, devicePixelRatioF()));
    askServer();
    focusFirstEmpty();
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

QUrl SignInPage::server() const
{
    const QUrl typed = QUrl::fromUserInput(m_server->text().trimmed());
    const bool http = typed.scheme() == QLatin1StringView("http") || typed.scheme() == QLatin1StringView("https");
    return typed.isValid() && !typed.host().isEmpty() && http ? typed : QUrl();
}

void SignInPage::askServer()
{
    m_typing.stop();
    if (isVisible() && !server().isEmpty())
        m_session.lookAt(server());
}

// Nobody who has begun to type a key is moved to another form.
void SignInPage::takeOffers(const QUrl &from, const SignInOffers &offers)
{
    if (from != server())
        return;
    const auto usable = std::ranges::find_if(offers.items, &FirebaseSignIn::isUsable);
    const bool isNew = !m_offer && usable != offers.items.end();
    m_offer = usable == offers.items.end() ? std::nullopt : std::optional(*usable);
    if (isNew && m_key->text().isEmpty()) {
        const QSignalBlocker quiet(m_ways); // what is said of the last attempt stays
        m_ways->choose(ByEmail);
    }
    m_asked = true;
    showWay();
    if (isNew)
        focusFirstEmpty();
}

void SignInPage::showWay()
{
    const bool byEmail = way() == ByEmail;
    m_ways->setVisible(m_offer.has_value());
    m_emailField->setVisible(byEmail);
    m_passwordField->setVisible(byEmail);
    m_keyField->setVisible(!byEmail);
    m_words->setText(byEmail ? tr("To your companion server, with your Firebase account.")
                             : tr("To your companion server, with an access key."));
    m_keep->setText(byEmail ? tr("Stay signed in on this desktop") : tr("Keep the key in this desktop's keyring"));
    m_keep->setToolTip(byEmail ? tr("Keeps Firebase's refresh token in the keyring, never the password.") : QString());
}

void SignInPage::focusFirstEmpty()
{
    for (QLineEdit *edit : {m_server, m_email, m_password, m_key})
        if (edit->isVisible() && edit->text().isEmpty())
            return edit->setFocus();
}

void SignInPage::submit()
{
    const QUrl to = server();
    if (to.isEmpty())
        return showProblem(tr("The server's address looks like http://127.0.0.1:8080."));
    showProblem({});
    if (way() == ByEmail) {
        if (!m_email->text().contains(u'@') || m_password->text().isEmpty())
            return showProblem(tr("Type your email address and your password."));
        return m_session.signInByEmail(to, *m_offer, m_email->text().trimmed(), m_password->text(),
                                       m_keep->isChecked());
    }
    if (m_key->text().isEmpty())
        m_session.resume(to); // with what was kept earlier, if there is something
    else
        m_session.signIn(to, m_key->text().trimmed(), m_keep->isChecked());
}

void SignInPage::showRefusal(const Problem &problem)
{
    showProblem(problem.is(ErrorCode::Unauthenticated) && way() == ByKey
                    ? tr("The server does not know this key. Keys are made with “companion-backend access-key create”.")
                    : problem.sentence());
    if (way() == ByEmail && problem.status == 401) {
        m_password->setFocus();
        m_password->selectAll();
    }
}

void SignInPage::showState()
{
    const bool busy = m_session.state() == Session::State::SigningIn;
    m_go->setEnabled(!busy);
    m_go->setText(busy ? tr("Signing in…") : tr("Sign in"));
    if (m_session.state() == Session::State::SignedIn) {
        m_key->clear();
        m_password->clear();
    } else if (!busy && !m_offer) {
        askServer(); // it could not be asked while signing in with what was kept
    }
}

} // namespace companion::console
