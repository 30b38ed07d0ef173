#include "console/ui/pages/CharactersPage.h"

#include "console/ui/dialogs/NewCharacterDialog.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/Look.h"

#include <QStackedWidget>

namespace companion::console {

CharactersPage::CharactersPage(const Ui &ui, CharactersApi &api, QWidget *parent)
    : ConsolePage(parent)
    , m_ui(ui)
    , m_api(api)
    , m_head(new PageHead(tr("Characters")))
    , m_table(new DataTable(ui, tr("Characters")))
    , m_stack(new QStackedWidget)
    , m_editor(new CharacterEditor(ui, api))
{
    m_stack->addWidget(list());
    m_stack->addWidget(m_editor);
    plain(new QVBoxLayout(this))->addWidget(m_stack);
    connect(m_view, &StateView::retryRequested, this, &CharactersPage::reload);
    connect(m_view, &StateView::settled, this, &CharactersPage::settled);
    connect(m_editor, &CharacterEditor::settled, this, &CharactersPage::settled);
    connect(&m_ui.images, &ImageCache::arrived, this, &CharactersPage::settled);
    connect(m_editor, &CharacterEditor::left, this, [this] {
        m_stack->setCurrentIndex(0);
        reload();
        m_table->setFocus();
        Q_EMIT wandered({});
    });
    connect(m_table, &DataTable::opened, this, [this](const QModelIndex &index) {
        if (const AdminCharacter *character = m_model.row(index))
            edit(character->id);
    });
}

QWidget *CharactersPage::list()
{
    auto *create = button(tr("New character…"), "newCharacter", "primary");
    connect(create, &QPushButton::clicked, this, &CharactersPage::create);
    m_head->addAction(create);
    m_table->setObjectName(u"charactersTable");
    m_table->setModel(&m_model);
    using C = CharactersModel;
    m_table->setColumn<PictureDelegate>(C::Name, 150);
    m_table->setColumn<CellDelegate>(C::Tagline, 240);
    m_table->setColumn<StatusDelegate>(C::Status, 150);
    m_table->setColumn<CellDelegate>(C::Version, 108);
    m_table->setColumn<CellDelegate>(C::Modes, 112);
    m_table->setColumn<MoneyDelegate>(C::Price, 80);
    m_table->setColumn<TimeDelegate>(C::Updated, 110);
    m_table->setStretch(C::Tagline);
    m_view = new StateView(m_ui.theme, m_table, Skeleton::Shape::Rows);
    auto *frame = card("charactersCard");
    auto *inside = plain(new QVBoxLayout(frame));
    inside->setContentsMargins(1, space::xs, 1, space::xs);
    inside->addWidget(m_view);
    auto *page = new QWidget;
    auto *layout = new QVBoxLayout(page);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::gap);
    layout->addWidget(m_head);
    layout->addWidget(frame, 1);
    return page;
}

bool CharactersPage::isSettled() const
{
    const bool pictures = !m_ui.images.isFetching();
    return pictures
        && (m_stack->currentIndex() == 0 ? m_view->isSettled() && m_wanted.isEmpty() : m_editor->isSettled());
}

void CharactersPage::open(const QString &detail)
{
    if (const auto id = CharacterId::parse(detail))
        return edit(*id);
    // What was being written is not thrown away by coming back to the page.
    if (detail.isEmpty() && m_stack->currentIndex() == 1 && m_editor->isEdited())
        return;
    m_stack->setCurrentIndex(0);
    m_wanted = detail;
    reload();
}

void CharactersPage::reload()
{
    m_call.abort();
    m_view->setLoading();
    m_call = m_api.list(100, 0);
    m_call.then(this, [this](const ApiResult<Page<AdminCharacter>> &page) {
        if (page)
            showLoaded(*page);
        else if (page.error().kind != Problem::Kind::Cancelled)
            m_view->setFailed(page.error());
    });
}

void CharactersPage::showLoaded(const Page<AdminCharacter> &page)
{
    m_model.setRows(page.items);
    int published = 0, waiting = 0;
    for (const AdminCharacter &character : page.items) {
        published += character.publishedVersion ? 1 : 0;
        waiting += !character.publishedVersion || character.hasUnpublishedChanges ? 1 : 0;
    }
    m_head->setContext(waiting
                           ? tr("%1 published, %2 with changes that users do not see yet").arg(published).arg(waiting)
                           : tr("%1 published").arg(published));
    const QString wanted = std::exchange(m_wanted, {});
    if (const AdminCharacter *character = wanted.isEmpty() ? nullptr : m_model.find(wanted))
        edit(character->id);
    if (page.items.isEmpty())
        m_view->setEmpty(tr("No characters yet"), tr("Create the first one with “New character”."));
    else
        m_view->setContent();
}

void CharactersPage::edit(const CharacterId &id)
{
    m_stack->setCurrentWidget(m_editor);
    m_editor->open(id);
    Q_EMIT wandered(id.toString());
}

void CharactersPage::create()
{
    auto *dialog = new NewCharacterDialog(m_api, this);
    connect(dialog, &NewCharacterDialog::created, this, &CharactersPage::edit);
    m_ui.prompts.show(dialog);
}

} // namespace companion::console
