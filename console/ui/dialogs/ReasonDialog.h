#pragma once

#include <QDialog>

class QComboBox;
class QLineEdit;
class QPushButton;

namespace companion::console {

// An act that needs its reason for the audit log, and perhaps a choice.
class ReasonDialog : public QDialog
{
    Q_OBJECT
public:
    ReasonDialog(const QString &title, const QString &sentence, const QString &verb, QWidget *parent = nullptr);
    void addChoice(const QString &text, int value, bool present);
    void setDangerous(bool dangerous);
    QString reason() const;
    int choice() const;

private:
    void check();

    QComboBox *m_choice;
    QLineEdit *m_reason;
    QPushButton *m_go;
    int m_present = -1;
};

} // namespace companion::console
