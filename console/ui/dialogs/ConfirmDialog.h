#pragma once

#include "console/ui/dialogs/Prompts.h"

#include <QDialog>

namespace companion::console {

// Says in one sentence what will change, with the figures; the button carries the verb, the focus is on Cancel.
class ConfirmDialog : public QDialog
{
    Q_OBJECT
public:
    explicit ConfirmDialog(const Question &question, QWidget *parent = nullptr);
};

} // namespace companion::console
