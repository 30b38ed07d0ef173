#pragma once

#include "common/models/Admin.h"

#include <QDialog>

namespace companion::console {

// One tested turn in full: the exact prompt, every verdict, tokens, price and times.
class TurnDialog : public QDialog
{
    Q_OBJECT
public:
    explicit TurnDialog(const PersonaTestResult &result, QWidget *parent = nullptr);
};

} // namespace companion::console
