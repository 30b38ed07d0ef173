#pragma once

#include "console/client/PaymentsApi.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;

namespace companion::console {

// Lets a debt off, wholly or in part, showing what will be owed then. Accepted once the server has done it.
class ForgiveDialog : public QDialog
{
    Q_OBJECT
public:
    ForgiveDialog(PaymentsApi &api, const Debt &debt, QWidget *parent = nullptr);

private:
    void preview();
    void submit();

    PaymentsApi &m_api;
    Debt m_debt;
    std::optional<ForgiveRequest> m_request;
    std::optional<ForgiveRequest> m_sent; // not answered: only this may be sent again with its key
    QByteArray m_key;
    QLineEdit *m_amount;
    QLineEdit *m_reason;
    QLabel *m_after;
    QLabel *m_problem;
    QPushButton *m_go;
};

} // namespace companion::console
