#include "console/ui/pages/PersonaTestPage.h"

#include "console/ui/widgets/Composer.h"
#include "console/ui/widgets/ConversationView.h"
#include "console/ui/widgets/Look.h"

#include <QComboBox>

namespace companion::console {

PersonaTestPage::PersonaTestPage(const Ui &ui, CharactersApi &characters, PersonaTestApi &tests, QWidget *parent)
    : ConsolePage(parent)
    , m_ui(ui)
    , m_api(characters)
    , m_tests(tests)
    , m_head(new PageHead(tr("Persona test")))
    , m_who(new QComboBox)
    , m_version(new QComboBox)
    , m_modes(new ChipGroup(tr("Mode")))
    , m_rehearsal(label(tr("Rehearsal model: replies are not a language model's"), "strong"))
    , m_composer(new Composer)
    , m_send(button(tr("Send"), "send", "primary"))
    , m_stop(button(tr("Stop"), "stop"))
    , m_normal(column(Mode::Normal, "normalColumn"))
    , m_spicy(column(Mode::Spicy, "spicyColumn"))
{
    auto *content = new QWidget;
    auto *inside = plain(new QVBoxLayout(content), space::gap);
    inside->addWidget(controls());
    auto *columns = plain(new QHBoxLayout, space::gap);
    columns->addWidget(m_normal.frame, 1);
    columns->addWidget(m_spicy.frame, 1);
    inside->addLayout(columns, 1);
    inside->addWidget(composerRow());
    m_view = new StateView(ui.theme, content, Skeleton::Shape::Rows);
    m_head->setContext(tr("Billed to nobody. Nothing here reaches users or their memories."));
    auto *restart = button(tr("New conversation"), "newConversation");
    m_head->addAction(restart);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::gap);
    layout->addWidget(m_head);
    layout->addWidget(m_view, 1);

    connect(restart, &QPushButton::clicked, this, [this] {
        m_normal.model->clear();
        m_spicy.model->clear();
        m_composer->setFocus();
    });
    connect(m_view, &StateView::retryRequested, this, &PersonaTestPage::loadCharacters);
    connect(m_view, &StateView::settled, this, &PersonaTestPage::settled);
    connect(m_who, &QComboBox::currentIndexChanged, this, &PersonaTestPage::chooseCharacter);
    connect(m_version, &QComboBox::currentIndexChanged, this, &PersonaTestPage::applySubject);
    connect(m_modes, &ChipGroup::changed, this, &PersonaTestPage::applySubject);
    showStreaming();
}

void PersonaTestPage::colour(QLabel *label, QColor Tokens::*token)
{
    const auto paint = [=, this] {
        QPalette colours = label->palette();
        colours.setColor(QPalette::WindowText, m_ui.theme.tokens().*token);
        label->setPalette(colours);
    };
    paint();
    connect(&m_ui.theme, &Theme::changed, label, paint);
}

PersonaTestPage::Column PersonaTestPage::column(Mode mode, const char *name)
{
    Column column;
    column.model = new ConversationModel(m_tests, {.character = {}, .version = {}, .mode = mode}, this);
    column.view = new ConversationView(m_ui, *column.model, {});
    column.view->setAccessibleName(mode == Mode::Normal ? tr("Normal conversation") : tr("Spicy conversation"));
    column.frame = card(name);
    auto *layout = plain(new QVBoxLayout(column.frame));
    layout->setContentsMargins(1, 1, 1, 1);
    auto *head = label(mode == Mode::Normal ? tr("Normal") : tr("Spicy"), "strong");
    head->setContentsMargins(space::l, space::s, space::l, space::s);
    colour(head, mode == Mode::Spicy ? &Tokens::spicy : &Tokens::text);
    layout->addWidget(head);
    layout->addWidget(hairline());
    layout->addWidget(column.view, 1);
    connect(column.model, &ConversationModel::streamingChanged, this, &PersonaTestPage::showStreaming);
    return column;
}

QWidget *PersonaTestPage::controls()
{
    m_who->setObjectName(u"character");
    m_who->setAccessibleName(tr("Character"));
    m_who->setMinimumWidth(200);
    m_version->setObjectName(u"version");
    m_version->setAccessibleName(tr("Version"));
    m_version->setMinimumWidth(170);
    m_modes->add(tr("Normal"), Normal, "modeNormal");
    m_modes->add(tr("Spicy"), Spicy, "modeSpicy");
    m_modes->add(tr("Side by side"), SideBySide, "modeBoth");
    m_rehearsal->setObjectName(u"rehearsalMark");
    m_rehearsal->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_rehearsal->setWordWrap(true); // in a narrow window it takes two lines, not the window's width
    m_rehearsal->hide();
    colour(m_rehearsal, &Tokens::rehearsal);
    auto *row = new QWidget;
    auto *layout = plain(new QHBoxLayout(row), space::m);
    layout->addWidget(m_who);
    layout->addWidget(m_version);
    layout->addWidget(m_modes);
    layout->addStretch();
    layout->addWidget(m_rehearsal, 1);
    return row;
}

QWidget *PersonaTestPage::composerRow()
{
    m_stop->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Period));
    auto *row = new QWidget;
    auto *layout = plain(new QHBoxLayout(row), space::s);
    layout->addWidget(m_composer, 1);
    layout->addWidget(m_stop, 0, Qt::AlignBottom);
    layout->addWidget(m_send, 0, Qt::AlignBottom);
    connect(m_composer, &Composer::sent, this, &PersonaTestPage::send);
    connect(m_send, &QPushButton::clicked, m_composer, &Composer::send);
    connect(m_stop, &QPushButton::clicked, this, &PersonaTestPage::stop);
    return row;
}

bool PersonaTestPage::isSettled() const
{
    return m_view->isSettled() && !isStreaming();
}

bool PersonaTestPage::isStreaming() const
{
    return m_normal.model->isStreaming() || m_spicy.model->isStreaming();
}

void PersonaTestPage::open(const QString &detail)
{
    m_wanted = detail;
    loadCharacters();
    m_composer->setFocus();
}

void PersonaTestPage::compareModes()
{
    m_modes->choose(SideBySide);
}

void PersonaTestPage::setRehearsal(bool rehearsal)
{
    m_rehearsal->setVisible(rehearsal);
}

void PersonaTestPage::say(const QString &text)
{
    m_composer->setPlainText(text);
    m_composer->send();
}

void PersonaTestPage::loadCharacters()
{
    m_view->setLoading();
    m_api.list(100, 0).then(this, [this](const ApiResult<Page<AdminCharacter>> &page) {
        if (page)
            takeCharacters(page->items);
        else
            m_view->setFailed(page.error());
    });
}

// Coming back to the page keeps the persona and its conversation.
void PersonaTestPage::takeCharacters(const QList<AdminCharacter> &characters)
{
    const QString before = character() ? character()->id.toString() : QString();
    const QString wanted = m_wanted.isEmpty() ? before : std::exchange(m_wanted, {});
    m_all = characters;
    {
        const QSignalBlocker quiet(m_who);
        m_who->clear();
        int chosen = 0;
        for (const AdminCharacter &one : m_all) {
            m_who->addItem(one.persona.name);
            if (one.slug == wanted || one.id.toString() == wanted)
                chosen = m_who->count() - 1;
        }
        m_who->setCurrentIndex(m_all.isEmpty() ? -1 : chosen);
    }
    if (m_all.isEmpty())
        return m_view->setEmpty(tr("No characters yet"), tr("Create one under Characters, then try it here."));
    chooseCharacter();
    m_view->setContent();
}

const AdminCharacter *PersonaTestPage::character() const
{
    const int index = m_who->currentIndex();
    return index >= 0 && index < m_all.size() ? &m_all.at(index) : nullptr;
}

void PersonaTestPage::chooseCharacter()
{
    if (!character())
        return;
    const CharacterId id = character()->id;
    {
        const QSignalBlocker quiet(m_version);
        m_version->clear();
        m_version->addItem(tr("Draft (v%1)").arg(character()->draftVersion));
    }
    m_api.versions(id).then(this,
                            [this, id](const ApiResult<Page<CharacterVersion>> &page) { takeVersions(id, page); });
    applySubject();
}

void PersonaTestPage::takeVersions(const CharacterId &id, const ApiResult<Page<CharacterVersion>> &page)
{
    if (!page || !character() || character()->id != id)
        return;
    const QSignalBlocker quiet(m_version);
    for (const CharacterVersion &version : page->items)
        if (version.publishedAt)
            m_version->addItem(version.version == character()->publishedVersion
                                   ? tr("Published (v%1)").arg(version.version)
                                   : tr("Version %1").arg(version.version),
                               version.version);
}

bool PersonaTestPage::shows(Mode mode) const
{
    return m_modes->chosen() == SideBySide || (m_modes->chosen() == Spicy) == (mode == Mode::Spicy);
}

void PersonaTestPage::applySubject()
{
    if (!character())
        return;
    const bool spicyOffered = !character()->persona.spicyPrompt.isEmpty();
    m_modes->setChoosable(Spicy, spicyOffered, tr("This character has no spicy prompt."));
    m_modes->setChoosable(SideBySide, spicyOffered, tr("This character has no spicy prompt."));
    if (!spicyOffered && m_modes->chosen() != Normal)
        return m_modes->choose(Normal); // comes back here
    const QVariant chosen = m_version->currentData();
    const auto version = chosen.isValid() ? std::optional(chosen.toInt()) : std::nullopt;
    for (const auto &[column, mode] : {std::pair{&m_normal, Mode::Normal}, {&m_spicy, Mode::Spicy}}) {
        column->model->setSubject({character()->id, version, mode});
        column->frame->setVisible(shows(mode));
        column->view->setEmptyText(tr("Say something to %1.").arg(character()->persona.name));
    }
}

void PersonaTestPage::send(const QString &text)
{
    if (isStreaming() || !character())
        return;
    m_composer->clear();
    for (const auto &[column, mode] : {std::pair{&m_normal, Mode::Normal}, {&m_spicy, Mode::Spicy}})
        if (shows(mode))
            column->model->send(text);
}

void PersonaTestPage::stop()
{
    m_normal.model->stop();
    m_spicy.model->stop();
    m_composer->setFocus();
}

void PersonaTestPage::showStreaming()
{
    const bool streaming = isStreaming();
    m_stop->setVisible(streaming);
    m_send->setVisible(!streaming);
    if (!streaming)
        Q_EMIT settled();
}

} // namespace companion::console
