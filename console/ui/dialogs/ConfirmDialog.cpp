#include "console/ui/dialogs/ConfirmDialog.h"

#include "console/ui/widgets/Look.h"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace companion::console {

void Prompts::show(QDialog *dialog)
{
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void Prompts::confirm(QWidget *parent, const Question &question, std::function<void()> then)
{
    auto *dialog = new ConfirmDialog(question, parent);
    QObject::connect(dialog, &QDialog::accepted, parent, std::move(then));
    show(dialog);
}

ConfirmDialog::ConfirmDialog(const Question &question, QWidget *parent)
    : QDialog(parent)
{
    setObjectName(u"confirmDialog");
    setWindowTitle(question.title);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(question.title, "section"));
    auto *sentence = label(question.sentence);
    sentence->setWordWrap(true);
    sentence->setMinimumWidth(380);
    layout->addWidget(sentence);
    if (!question.figures.isEmpty()) {
        auto *grid = new QGridLayout;
        grid->setHorizontalSpacing(space::l);
        grid->setColumnStretch(0, 1);
        for (int row = 0; row < question.figures.size(); ++row) {
            grid->addWidget(label(question.figures[row].first, "quiet"), row, 0);
            grid->addWidget(label(question.figures[row].second), row, 1, Qt::AlignRight);
        }
        layout->addLayout(grid);
    }
    layout->addSpacing(space::s);
    auto *go = button(question.verb, "confirm", question.dangerous ? "danger" : "primary");
    auto *cancel = button(tr("Cancel"), "cancel");
    layout->addLayout(dialogButtons(cancel, go));
    connect(go, &QPushButton::clicked, this, &QDialog::accept);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    cancel->setFocus();
    cancel->setDefault(true);
}

} // namespace companion::console
