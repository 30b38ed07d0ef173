#include "console/ui/dialogs/ReconcileDialog.h"

#include "console/models/MoneyWords.h"
#include "console/ui/widgets/Look.h"

#include <QComboBox>
#include <QDateEdit>

namespace companion::console {

ReconcileDialog::ReconcileDialog(PaymentsApi &api, const QDate &today, QWidget *parent)
    : QDialog(parent)
    , m_api(api)
    , m_provider(new QComboBox)
    , m_day(new QDateEdit(today.addDays(-1)))
    , m_problem(label({}, "problem"))
    , m_go(button(tr("Compare"), "confirm", "primary"))
{
    setObjectName(u"reconcileDialog");
    setWindowTitle(tr("Compare a day"));
    setMinimumWidth(400);
    m_provider->setObjectName(u"reconcileProvider");
    for (const Provider provider : {Provider::Stripe, Provider::Apple, Provider::Google, Provider::Sandbox})
        m_provider->addItem(words::provider(provider), static_cast<int>(provider));
    m_day->setObjectName(u"reconcileDay");
    m_day->setDisplayFormat(QStringLiteral("yyyy-MM-dd"));
    m_day->setMaximumDate(today);
    m_day->setCalendarPopup(true);
    m_problem->setObjectName(u"reconcileProblem");
    m_problem->setWordWrap(true);
    auto *sentence = label(tr("The provider is asked for all it was paid on that day (UTC), and that is held against "
                              "our books, both ways. What only a lost webhook would have told is applied."),
                           "quiet");
    sentence->setWordWrap(true);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(tr("Compare a day"), "section"));
    layout->addWidget(sentence);
    layout->addWidget(new FormField(tr("Provider"), m_provider));
    layout->addWidget(new FormField(tr("Day"), m_day));
    layout->addWidget(m_problem);
    auto *cancel = button(tr("Cancel"), "cancel");
    layout->addLayout(dialogButtons(cancel, m_go));
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_go, &QPushButton::clicked, this, &ReconcileDialog::submit);
}

void ReconcileDialog::submit()
{
    m_go->setEnabled(false);
    m_go->setText(tr("Comparing…"));
    m_problem->clear();
    m_api.reconcile({static_cast<Provider>(m_provider->currentData().toInt()), m_day->date().toString(Qt::ISODate)})
        .then(this, [this](const ApiResult<ReconciliationRun> &run) {
            if (run) {
                m_run = *run;
                return accept();
            }
            m_go->setEnabled(true);
            m_go->setText(tr("Compare"));
            m_problem->setText(run.error().sentence());
        });
}

} // namespace companion::console
