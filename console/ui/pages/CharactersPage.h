#pragma once

#include "console/client/CharactersApi.h"
#include "console/models/CharactersModel.h"
#include "console/ui/pages/CharacterEditor.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/StateView.h"

class QStackedWidget;

namespace companion::console {

class CharactersPage : public ConsolePage
{
    Q_OBJECT
public:
    CharactersPage(const Ui &ui, CharactersApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override; // id or slug
    bool isSettled() const override;

private:
    QWidget *list();
    void reload();
    void showLoaded(const Page<AdminCharacter> &page);
    void edit(const CharacterId &id);
    void create();

    Ui m_ui;
    CharactersApi &m_api;
    CharactersModel m_model;
    ApiCall<Page<AdminCharacter>> m_call;
    QString m_wanted; // to open once the list is there
    PageHead *m_head;
    DataTable *m_table;
    StateView *m_view;
    QStackedWidget *m_stack;
    CharacterEditor *m_editor;
};

} // namespace companion::console
