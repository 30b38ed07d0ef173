#pragma once

#include "console/models/WalletModels.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace companion::console {

// Gives or takes credits, showing what the wallet will be before anything is sent. Accepted once the server has done
// it.
class AdjustDialog : public QDialog
{
    Q_OBJECT
public:
    AdjustDialog(UsersApi &api, const AdminUser &user, const Balance &balance, QWidget *parent = nullptr);

private:
    void preview();
    void submit();

    UsersApi &m_api;
    AdminUser m_user;
    Balance m_balance;
    AdjustmentPreview m_preview;
    QByteArray m_key; // of this one adjustment: a second try after a lost answer adjusts once
    QComboBox *m_bucket;
    QLineEdit *m_amount;
    QLineEdit *m_reason;
    QLabel *m_bucketChange;
    QLabel *m_totalChange;
    QLabel *m_problem;
    QPushButton *m_go;
};

} // namespace companion::console
