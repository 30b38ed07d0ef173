#pragma once

#include "console/client/CharactersApi.h"

#include <QDialog>

class QLineEdit;
class QPushButton;

namespace companion::console {

class FormField;

// A name and a slug are enough to begin a draft; everything else is written in the editor.
class NewCharacterDialog : public QDialog
{
    Q_OBJECT
public:
    explicit NewCharacterDialog(CharactersApi &api, QWidget *parent = nullptr);

Q_SIGNALS:
    void created(const companion::CharacterId &id);

private:
    void submit();

    CharactersApi &m_api;
    QLineEdit *m_name;
    QLineEdit *m_slug;
    FormField *m_nameField;
    FormField *m_slugField;
    QPushButton *m_go;
};

} // namespace companion::console
