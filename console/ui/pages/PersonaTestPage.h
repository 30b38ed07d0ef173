#pragma once

#include "console/client/CharactersApi.h"
#include "console/models/ConversationModel.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/widgets/ChipGroup.h"
#include "console/ui/widgets/StateView.h"

class QComboBox;
class QPushButton;

namespace companion::console {

class Composer;
class ConversationView;

// A talk with a persona before users meet it: draft or published, normal or spicy, or both side by side.
class PersonaTestPage : public ConsolePage
{
    Q_OBJECT
public:
    PersonaTestPage(const Ui &ui, CharactersApi &characters, PersonaTestApi &tests, QWidget *parent = nullptr);
    void open(const QString &detail) override; // id or slug
    bool isSettled() const override;
    void compareModes();
    void setRehearsal(bool rehearsal); // the system answers with the built-in model
    void say(const QString &text); // as if typed and sent

private:
    enum Choice { Normal, Spicy, SideBySide };
    struct Column
    {
        ConversationModel *model = nullptr;
        ConversationView *view = nullptr;
        QWidget *frame = nullptr;
    };

    QWidget *controls();
    QWidget *composerRow();
    void colour(QLabel *label, QColor Tokens::*token);
    Column column(Mode mode, const char *name);
    void loadCharacters();
    void takeCharacters(const QList<AdminCharacter> &characters);
    void chooseCharacter();
    void takeVersions(const CharacterId &id, const ApiResult<Page<CharacterVersion>> &page);
    void applySubject();
    void showStreaming();
    void send(const QString &text);
    void stop();
    bool isStreaming() const;
    const AdminCharacter *character() const;
    bool shows(Mode mode) const;

    Ui m_ui;
    CharactersApi &m_api;
    PersonaTestApi &m_tests;
    QList<AdminCharacter> m_all;
    QString m_wanted;
    PageHead *m_head;
    QComboBox *m_who;
    QComboBox *m_version;
    ChipGroup *m_modes;
    QLabel *m_rehearsal;
    Composer *m_composer;
    QPushButton *m_send;
    QPushButton *m_stop;
    StateView *m_view;
    Column m_normal;
    Column m_spicy;
};

} // namespace companion::console
