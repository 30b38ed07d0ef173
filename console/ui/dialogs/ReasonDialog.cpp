#include "console/ui/dialogs/ReasonDialog.h"

#include "common/models/Admin.h"
#include "console/ui/widgets/Look.h"

#include <QComboBox>
#include <QLineEdit>

namespace companion::console {

ReasonDialog::ReasonDialog(const QString &title, const QString &sentence, const QString &verb, QWidget *parent)
    : QDialog(parent)
    , m_choice(new QComboBox)
    , m_reason(new QLineEdit)
    , m_go(button(verb, "confirm", "primary"))
{
    setObjectName(u"reasonDialog");
    setWindowTitle(title);
    setMinimumWidth(420);
    m_choice->setObjectName(u"choice");
    m_choice->setAccessibleName(title);
    m_choice->hide();
    m_reason->setObjectName(u"reason");
    m_reason->setPlaceholderText(tr("Kept in the audit log"));
    auto *words = label(sentence);
    words->setWordWrap(true);
    auto *cancel = button(tr("Cancel"), "cancel");
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(title, "section"));
    layout->addWidget(words);
    layout->addWidget(m_choice);
    layout->addWidget(new FormField(tr("Reason"), m_reason));
    layout->addLayout(dialogButtons(cancel, m_go));
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_go, &QPushButton::clicked, this, &QDialog::accept);
    connect(m_reason, &QLineEdit::textChanged, this, &ReasonDialog::check);
    connect(m_choice, &QComboBox::currentIndexChanged, this, &ReasonDialog::check);
    m_reason->setFocus();
    check();
}

void ReasonDialog::addChoice(const QString &text, int value, bool present)
{
    m_choice->addItem(text, value);
    m_choice->show();
    if (present) {
        m_present = value;
        m_choice->setCurrentIndex(m_choice->count() - 1);
    }
    check();
}

void ReasonDialog::setDangerous(bool dangerous)
{
    setLook(m_go, dangerous ? "danger" : "primary");
}

QString ReasonDialog::reason() const
{
    return m_reason->text().trimmed();
}

int ReasonDialog::choice() const
{
    return m_choice->currentData().toInt();
}

// The server's own rule for a reason; and a choice that changes nothing is none.
void ReasonDialog::check()
{
    const bool said = fromJson<Reason>(toJson(Reason{reason()})).has_value();
    const bool changes = m_choice->count() == 0 || choice() != m_present;
    m_go->setEnabled(said && changes);
}

} // namespace companion::console
