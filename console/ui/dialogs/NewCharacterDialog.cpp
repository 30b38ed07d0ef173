#include "console/ui/dialogs/NewCharacterDialog.h"

#include "console/models/CharacterDraft.h"
#include "console/ui/widgets/Look.h"

#include <QLineEdit>

namespace companion::console {

NewCharacterDialog::NewCharacterDialog(CharactersApi &api, QWidget *parent)
    : QDialog(parent)
    , m_api(api)
    , m_name(new QLineEdit)
    , m_slug(new QLineEdit)
    , m_nameField(new FormField(tr("Name"), m_name))
    , m_slugField(new FormField(tr("Slug, in addresses and as the model's name"), m_slug))
    , m_go(button(tr("Create draft"), "confirm", "primary"))
{
    setObjectName(u"newCharacterDialog");
    setWindowTitle(tr("New character"));
    setMinimumWidth(420);
    m_name->setObjectName(u"name");
    m_slug->setObjectName(u"slug");
    auto *cancel = button(tr("Cancel"), "cancel");
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(tr("New character"), "section"));
    layout->addWidget(label(tr("It stays a draft that only operators see until you publish it."), "quiet"));
    layout->addWidget(m_nameField);
    layout->addWidget(m_slugField);
    layout->addLayout(dialogButtons(cancel, m_go));
    connect(m_name, &QLineEdit::textChanged, this, [this](const QString &name) {
        if (!m_slug->isModified())
            m_slug->setText(slugFor(name));
        m_go->setEnabled(!name.trimmed().isEmpty());
    });
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_go, &QPushButton::clicked, this, &NewCharacterDialog::submit);
    m_go->setEnabled(false);
}

void NewCharacterDialog::submit()
{
    NewCharacter character{.slug = m_slug->text().trimmed(), .persona = {}};
    character.persona.name = m_name->text().trimmed();
    character.persona.systemPrompt = tr("You are %1.").arg(character.persona.name);
    m_go->setEnabled(false);
    m_api.create(character).then(this, [this](const ApiResult<Tagged<AdminCharacter>> &made) {
        if (made) {
            accept();
            Q_EMIT created(made->value.id);
            return;
        }
        m_go->setEnabled(true);
        const Problem &problem = made.error();
        m_nameField->setProblem(problem.forField(QStringLiteral("/persona/name")));
        const QString slugProblem = problem.forField(QStringLiteral("/slug"));
        m_slugField->setProblem(slugProblem.isEmpty() ? problem.sentence() : slugProblem);
    });
}

} // namespace companion::console
