#include "console/ui/dialogs/AdjustDialog.h"

#include "console/models/Format.h"
#include "console/models/Words.h"
#include "console/ui/widgets/Look.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QUuid>

namespace companion::console {

namespace {

QString changeText(Credits before, Credits after)
{
    return before == after ? format::credits(before)
                           : QString(format::credits(before) + QStringLiteral("  →  ") + format::credits(after));
}

} // namespace

AdjustDialog::AdjustDialog(UsersApi &api, const AdminUser &user, const Balance &balance, QWidget *parent)
    : QDialog(parent)
    , m_api(api)
    , m_user(user)
    , m_balance(balance)
    , m_key(QUuid::createUuid().toByteArray(QUuid::WithoutBraces))
    , m_bucket(new QComboBox)
    , m_amount(new QLineEdit)
    , m_reason(new QLineEdit)
    , m_bucketChange(label({}))
    , m_totalChange(label({}, "strong"))
    , m_problem(label({}, "problem"))
    , m_go(button(tr("Adjust"), "confirm", "primary"))
{
    setObjectName(u"adjustDialog");
    setWindowTitle(tr("Adjust credits"));
    setMinimumWidth(420);
    m_bucket->setObjectName(u"bucket");
    for (const Bucket bucket : {Bucket::Purchased, Bucket::Bonus, Bucket::DailyFree})
        m_bucket->addItem(words::bucket(bucket), static_cast<int>(bucket));
    m_amount->setObjectName(u"amount");
    m_amount->setPlaceholderText(tr("12.5 gives, -12.5 takes"));
    m_reason->setObjectName(u"reason");
    m_reason->setPlaceholderText(tr("Kept in the audit log"));
    m_bucketChange->setObjectName(u"bucketChange");
    m_totalChange->setObjectName(u"totalChange");
    m_problem->setObjectName(u"adjustProblem");
    m_problem->setWordWrap(true);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(tr("Adjust credits"), "section"));
    layout->addWidget(label(user.email, "quiet"));
    layout->addWidget(new FormField(tr("Bucket"), m_bucket));
    layout->addWidget(new FormField(tr("Amount"), m_amount));
    layout->addWidget(new FormField(tr("Reason"), m_reason));
    auto *grid = plain(new QGridLayout, space::xs);
    grid->setColumnStretch(0, 1);
    grid->addWidget(label(tr("Bucket afterwards"), "quiet"), 0, 0);
    grid->addWidget(m_bucketChange, 0, 1, Qt::AlignRight);
    grid->addWidget(label(tr("Balance afterwards"), "quiet"), 1, 0);
    grid->addWidget(m_totalChange, 1, 1, Qt::AlignRight);
    layout->addLayout(grid);
    layout->addWidget(m_problem);
    auto *cancel = button(tr("Cancel"), "cancel");
    layout->addLayout(dialogButtons(cancel, m_go));
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_go, &QPushButton::clicked, this, &AdjustDialog::submit);
    connect(m_bucket, &QComboBox::currentIndexChanged, this, &AdjustDialog::preview);
    connect(m_amount, &QLineEdit::textChanged, this, &AdjustDialog::preview);
    connect(m_reason, &QLineEdit::textChanged, this, &AdjustDialog::preview);
    m_amount->setFocus();
    preview();
}

void AdjustDialog::preview()
{
    m_preview = previewAdjustment(m_balance, static_cast<Bucket>(m_bucket->currentData().toInt()), m_amount->text(),
                                  m_reason->text());
    m_bucketChange->setText(changeText(m_preview.bucketBefore, m_preview.bucketAfter));
    m_totalChange->setText(changeText(m_preview.totalBefore, m_preview.totalAfter));
    m_problem->setText(m_preview.problem);
    m_go->setEnabled(m_preview.request.has_value());
    if (!m_preview.request)
        return m_go->setText(tr("Adjust"));
    const Credits amount = m_preview.request->amount;
    m_go->setText(amount.isNegative() ? tr("Take %1").arg(format::credits(-amount))
                                      : tr("Give %1").arg(format::credits(amount)));
    setLook(m_go, amount.isNegative() ? "danger" : "primary");
}

void AdjustDialog::submit()
{
    if (!m_preview.request)
        return;
    m_go->setEnabled(false);
    m_api.adjust(m_user.id, *m_preview.request, m_key).then(this, [this](const ApiResult<Transaction> &done) {
        if (done)
            return accept();
        m_go->setEnabled(true);
        m_problem->setText(done.error().sentence());
        // A refusal is final for this key; after silence the same key must be used again.
        if (done.error().kind == Problem::Kind::Refused)
            m_key = QUuid::createUuid().toByteArray(QUuid::WithoutBraces);
    });
}

} // namespace companion::console
