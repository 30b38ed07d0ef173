#pragma once

#include "console/client/PaymentsApi.h"

#include <QDialog>

class QComboBox;
class QDateEdit;
class QLabel;
class QPushButton;

namespace companion::console {

// Compares one day with one provider now. Accepted once that is done.
class ReconcileDialog : public QDialog
{
    Q_OBJECT
public:
    ReconcileDialog(PaymentsApi &api, const QDate &today, QWidget *parent = nullptr);
    const ReconciliationRun &run() const { return m_run; } // once accepted

private:
    void submit();

    PaymentsApi &m_api;
    ReconciliationRun m_run;
    QComboBox *m_provider;
    QDateEdit *m_day;
    QLabel *m_problem;
    QPushButton *m_go;
};

} // namespace companion::console
