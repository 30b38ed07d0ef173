#pragma once

#include "console/client/CharactersApi.h"
#include "console/models/CharacterDraft.h"
#include "console/models/CharactersModel.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/Look.h"
#include "console/ui/widgets/StateView.h"

class QCheckBox;
class QLineEdit;
class QPlainTextEdit;

namespace companion::console {

class Avatar;

// A character's draft: every field of the persona, its prompts, and its versions.
class CharacterEditor : public QWidget
{
    Q_OBJECT
public:
    CharacterEditor(const Ui &ui, CharactersApi &api, QWidget *parent = nullptr);
    void open(const CharacterId &id);
    bool isSettled() const { return m_view->isSettled(); }
    bool isEdited() const;

Q_SIGNALS:
    void settled();
    void left();

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    void addActions();
    QWidget *form();
    QWidget *aboutColumn();
    QWidget *promptColumn();
    FormField *line(const char *name, const QString &title, const QString &pointer, QLineEdit *&editor);
    FormField *text(const char *name, const QString &title, const QString &pointer, QPlainTextEdit *&editor, int lines);
    CharacterForm typed() const;
    void fill(const CharacterForm &form);
    void load();
    void loadVersions();
    void adopt(const Tagged<AdminCharacter> &character);
    void showEdited();
    void save(std::function<void()> then);
    void askToPublish();
    void publish();
    void askToLeave();
    void showProblem(const Problem &problem);
    void showNote(const QString &words, const char *look);

    Ui m_ui;
    CharactersApi &m_api;
    CharacterId m_id;
    Tagged<AdminCharacter> m_character;
    CharacterForm m_saved;
    bool m_loaded = false;
    bool m_busy = false;
    VersionsModel m_versions;

    PageHead *m_head;
    Avatar *m_avatar;
    QPushButton *m_save;
    QPushButton *m_publish;
    QPushButton *m_reload;
    QLabel *m_note;
    QHash<QString, FormField *> m_fields; // by JSON Pointer into Persona
    QLineEdit *m_name = nullptr;
    QLineEdit *m_tagline = nullptr;
    QLineEdit *m_tags = nullptr;
    QLineEdit *m_price = nullptr;
    QPlainTextEdit *m_description = nullptr;
    QPlainTextEdit *m_traits = nullptr;
    QPlainTextEdit *m_greeting = nullptr;
    QPlainTextEdit *m_dialogue = nullptr;
    QPlainTextEdit *m_prompt = nullptr;
    QPlainTextEdit *m_spicy = nullptr;
    QCheckBox *m_spicyOn = nullptr;
    DataTable *m_versionsTable = nullptr;
    StateView *m_view;
};

} // namespace companion::console
