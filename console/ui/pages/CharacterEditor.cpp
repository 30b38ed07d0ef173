#include "console/ui/pages/CharacterEditor.h"

#include "console/models/Words.h"
#include "console/ui/widgets/Avatar.h"
#include "console/ui/widgets/CellDelegate.h"

#include <QCheckBox>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollArea>

namespace companion::console {

CharacterEditor::CharacterEditor(const Ui &ui, CharactersApi &api, QWidget *parent)
    : QWidget(parent)
    , m_ui(ui)
    , m_api(api)
    , m_head(new PageHead({}))
    , m_avatar(new Avatar(ui, 44))
    , m_save(button(tr("Save draft"), "saveDraft"))
    , m_publish(button(tr("Publish…"), "publish", "primary"))
    , m_reload(button(tr("Load theirs"), "loadTheirs"))
    , m_note(label({}, "small"))
{
    setObjectName(u"characterEditor");
    m_note->setObjectName(u"editorNote");
    m_note->setWordWrap(true);
    addActions();
    m_view = new StateView(ui.theme, form(), Skeleton::Shape::Rows);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::m);
    layout->addWidget(m_head);
    auto *noteRow = plain(new QHBoxLayout, space::s);
    noteRow->addWidget(m_note, 1);
    noteRow->addWidget(m_reload);
    layout->addLayout(noteRow);
    layout->addWidget(m_view, 1);
    m_note->hide();
    m_reload->hide();
    showEdited();
    connect(m_view, &StateView::retryRequested, this, &CharacterEditor::load);
    connect(m_view, &StateView::settled, this, &CharacterEditor::settled);
}

void CharacterEditor::addActions()
{
    auto *back = button(tr("Characters"), "backToCharacters");
    const auto paintIcon = [=, this] { back->setIcon(m_ui.theme.icon(QStringLiteral("back"))); };
    paintIcon();
    connect(&m_ui.theme, &Theme::changed, back, paintIcon);
    connect(back, &QPushButton::clicked, this, &CharacterEditor::askToLeave);
    m_head->addLeading(back);
    m_head->addLeading(m_avatar);
    m_save->setShortcut(QKeySequence::Save);
    m_head->addAction(m_save);
    m_head->addAction(m_publish);
    connect(m_save, &QPushButton::clicked, this, [this] { save({}); });
    connect(m_publish, &QPushButton::clicked, this, &CharacterEditor::askToPublish);
    connect(m_reload, &QPushButton::clicked, this, &CharacterEditor::load);
}

FormField *CharacterEditor::line(const char *name, const QString &title, const QString &pointer, QLineEdit *&editor)
{
    editor = new QLineEdit;
    editor->setObjectName(QString::fromLatin1(name));
    connect(editor, &QLineEdit::textChanged, this, &CharacterEditor::showEdited);
    return m_fields[pointer] = new FormField(title, editor);
}

FormField *CharacterEditor::text(const char *name, const QString &title, const QString &pointer,
                                 QPlainTextEdit *&editor, int lines)
{
    editor = new QPlainTextEdit;
    editor->setObjectName(QString::fromLatin1(name));
    editor->setTabChangesFocus(true);
    editor->setMinimumHeight(lines * editor->fontMetrics().lineSpacing() + 2 * space::s);
    connect(editor, &QPlainTextEdit::textChanged, this, &CharacterEditor::showEdited);
    return m_fields[pointer] = new FormField(title, editor);
}

QWidget *CharacterEditor::form()
{
    auto *page = new QWidget;
    auto *columns = plain(new QHBoxLayout(page), space::gap);
    auto *scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(aboutColumn());
    auto *frame = card("aboutCard");
    auto *inside = new QVBoxLayout(frame);
    inside->setContentsMargins(1, space::xs, 1, space::xs);
    inside->addWidget(scroll);
    columns->addWidget(frame, 2);
    columns->addWidget(promptColumn(), 3);
    return page;
}

QWidget *CharacterEditor::aboutColumn()
{
    using P = Persona;
    auto *column = new QWidget;
    column->setProperty("look", QStringLiteral("scrolled"));
    auto *layout = new QVBoxLayout(column);
    layout->setContentsMargins(space::card, space::m, space::card, space::m);
    layout->setSpacing(space::m);
    layout->addWidget(line("name", words::title(&P::name), QStringLiteral("/name"), m_name));
    layout->addWidget(line("tagline", words::title(&P::tagline), QStringLiteral("/tagline"), m_tagline));
    layout->addWidget(
        text("description", words::title(&P::description), QStringLiteral("/description"), m_description, 5));
    auto *pair = plain(new QHBoxLayout, space::m);
    pair->addWidget(line("tags", tr("Tags, with commas"), QStringLiteral("/tags"), m_tags), 2);
    pair->addWidget(line("price", words::title(&P::priceMultiplier), QStringLiteral("/price_multiplier"), m_price), 1);
    layout->addLayout(pair);
    layout->addWidget(text("traits", tr("Traits, one a line: name: value"), QStringLiteral("/traits"), m_traits, 5));
    layout->addWidget(text("greeting", words::title(&P::greeting), QStringLiteral("/greeting"), m_greeting, 4));
    layout->addWidget(
        text("dialogue", words::title(&P::exampleDialogue), QStringLiteral("/example_dialogue"), m_dialogue, 6));
    m_versionsTable = new DataTable(m_ui, tr("Versions"));
    m_versionsTable->setObjectName(u"versionsTable");
    m_versionsTable->setModel(&m_versions);
    m_versionsTable->setCompact();
    m_versionsTable->setColumn<CellDelegate>(VersionsModel::Version, 80);
    m_versionsTable->setColumn<CellDelegate>(VersionsModel::Author, 100);
    m_versionsTable->setColumn<TimeDelegate>(VersionsModel::Made, 100);
    m_versionsTable->setColumn<TimeDelegate>(VersionsModel::Published, 100);
    m_versionsTable->setStretch(VersionsModel::Author);
    m_versionsTable->setMinimumHeight(5 * size::compactRow);
    layout->addWidget(label(tr("Versions"), "field"));
    layout->addWidget(m_versionsTable);
    return column;
}

QWidget *CharacterEditor::promptColumn()
{
    auto *frame = card("promptCard");
    auto *layout = new QVBoxLayout(frame);
    layout->setContentsMargins(space::card, space::m, space::card, space::card);
    layout->setSpacing(space::m);
    layout->addWidget(text("systemPrompt", tr("Normal prompt"), QStringLiteral("/system_prompt"), m_prompt, 8), 1);
    m_spicyOn = new QCheckBox(tr("Offer spicy mode, to verified adults on premium and VIP"));
    m_spicyOn->setObjectName(u"spicyEnabled");
    connect(m_spicyOn, &QCheckBox::toggled, this, &CharacterEditor::showEdited);
    layout->addWidget(m_spicyOn);
    layout->addWidget(text("spicyPrompt", words::title(&Persona::spicyPrompt), QStringLiteral("/spicy_prompt"), m_spicy,
                           8),
                      1);
    for (QPlainTextEdit *editor : {m_prompt, m_spicy})
        editor->setFont(Theme::monospace(type::body));
    return frame;
}

CharacterForm CharacterEditor::typed() const
{
    return {.name = m_name->text(),
            .tagline = m_tagline->text(),
            .description = m_description->toPlainText(),
            .tags = m_tags->text(),
            .traits = m_traits->toPlainText(),
            .greeting = m_greeting->toPlainText(),
            .exampleDialogue = m_dialogue->toPlainText(),
            .systemPrompt = m_prompt->toPlainText(),
            .spicyPrompt = m_spicy->toPlainText(),
            .spicyEnabled = m_spicyOn->isChecked(),
            .priceMultiplier = m_price->text()};
}

void CharacterEditor::fill(const CharacterForm &form)
{
    m_name->setText(form.name);
    m_tagline->setText(form.tagline);
    m_tagline->setCursorPosition(0);
    m_description->setPlainText(form.description);
    m_tags->setText(form.tags);
    m_traits->setPlainText(form.traits);
    m_greeting->setPlainText(form.greeting);
    m_dialogue->setPlainText(form.exampleDialogue);
    m_prompt->setPlainText(form.systemPrompt);
    m_spicy->setPlainText(form.spicyPrompt);
    m_spicyOn->setChecked(form.spicyEnabled);
    m_price->setText(form.priceMultiplier);
}

bool CharacterEditor::isEdited() const
{
    return m_loaded && typed() != m_saved;
}

void CharacterEditor::open(const CharacterId &id)
{
    m_id = id;
    load();
}

void CharacterEditor::load()
{
    m_loaded = false;
    m_note->hide();
    m_reload->hide();
    m_view->setLoading();
    showEdited();
    m_api.one(m_id).then(this, [this, id = m_id](const ApiResult<Tagged<AdminCharacter>> &character) {
        if (id != m_id)
            return;
        if (!character)
            return m_view->setFailed(character.error());
        adopt(*character);
        m_view->setContent();
    });
    loadVersions();
}

void CharacterEditor::loadVersions()
{
    m_api.versions(m_id).then(this, [this, id = m_id](const ApiResult<Page<CharacterVersion>> &page) {
        if (id == m_id && page)
            m_versions.setRows(page->items);
    });
}

void CharacterEditor::adopt(const Tagged<AdminCharacter> &character)
{
    m_character = character;
    const AdminCharacter &value = character.value;
    m_head->setTitle(value.persona.name);
    m_head->setContext(QStringList{words::characterStatus(value.status), versionText(value), value.slug}.join(u" · "));
    m_avatar->setPerson(value.persona.name, QUrl(value.avatarUrl));
    const CharacterForm form = CharacterForm::of(value.persona);
    m_loaded = false; // while the fields are filled they are not being edited
    fill(form);
    m_saved = typed();
    m_loaded = true;
    showEdited();
}

void CharacterEditor::showEdited()
{
    const bool edited = isEdited();
    const AdminCharacter &value = m_character.value;
    m_save->setEnabled(edited && !m_busy);
    m_publish->setEnabled(m_loaded && !m_busy && (edited || value.hasUnpublishedChanges || !value.publishedVersion));
}

void CharacterEditor::save(std::function<void()> then)
{
    const auto persona = typed().persona();
    for (FormField *field : std::as_const(m_fields))
        field->setProblem({});
    if (!persona)
        return showProblem(persona.error());
    m_busy = true;
    showEdited();
    m_api.saveDraft(m_id, *persona, m_character.etag)
        .then(this, [this, then = std::move(then)](const ApiResult<Tagged<AdminCharacter>> &saved) {
            m_busy = false;
            showEdited();
            if (!saved)
                return showProblem(saved.error());
            adopt(*saved);
            loadVersions();
            showNote(tr("Draft saved."), "small");
            if (then)
                then();
        });
}

void CharacterEditor::askToPublish()
{
    if (isEdited())
        return save([this] { askToPublish(); });
    const AdminCharacter &value = m_character.value;
    const QString now = value.publishedVersion ? tr("version %1").arg(*value.publishedVersion) : tr("nothing yet");
    m_ui.prompts.confirm(this,
                         {.title = tr("Publish %1?").arg(value.persona.name),
                          .sentence = tr("New chats use this version at once. Chats under way keep theirs."),
                          .figures = {{tr("Users see now"), now},
                                      {tr("Users will see"), tr("version %1").arg(value.draftVersion)}},
                          .verb = tr("Publish v%1").arg(value.draftVersion),
                          .dangerous = false},
                         [this] { publish(); });
}

void CharacterEditor::publish()
{
    m_busy = true;
    showEdited();
    m_api.publish(m_id, m_character.etag).then(this, [this](const ApiResult<Tagged<AdminCharacter>> &published) {
        m_busy = false;
        showEdited();
        if (!published)
            return showProblem(published.error());
        adopt(*published);
        loadVersions();
        showNote(tr("Version %1 is published.").arg(published->value.publishedVersion.value_or(0)), "small");
    });
}

void CharacterEditor::askToLeave()
{
    if (!isEdited())
        return Q_EMIT left();
    m_ui.prompts.confirm(this,
                         {.title = tr("Leave without saving?"),
                          .sentence = tr("What you changed in %1 since the last save is lost.").arg(m_saved.name),
                          .verb = tr("Leave")},
                         [this] { Q_EMIT left(); });
}

// 412: nothing is lost. Theirs is one click away, and until then the fields stay as typed.
void CharacterEditor::showProblem(const Problem &problem)
{
    for (const FieldError &error : problem.errors)
        if (FormField *field = m_fields.value(error.pointer))
            field->setProblem(error.message);
    const bool stale = problem.is(ErrorCode::PreconditionFailed);
    m_reload->setVisible(stale);
    showNote(stale ? tr("Somebody else saved this character meanwhile. Your text is still here: copy what you need, "
                        "then load theirs.")
                   : problem.sentence(),
             "problem");
}

void CharacterEditor::showNote(const QString &words, const char *look)
{
    m_note->setText(words);
    setLook(m_note, look);
    m_note->show();
}

void CharacterEditor::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape)
        askToLeave();
    else
        QWidget::keyPressEvent(event);
}

} // namespace companion::console
