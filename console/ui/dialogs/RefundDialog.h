#pragma once

#include "console/models/MoneyModels.h"
#include "console/models/RefundForm.h"
#include "console/ui/Ui.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;

namespace companion::console {

class ChipGroup;
class DataTable;
class Facts;
class StateView;

// Refunds a payment wholly or in part, after the server has said what that would do. Accepted once the refund is made;
// where no answer came the form says so, and unanswered() is what to go on with.
class RefundDialog : public QDialog
{
    Q_OBJECT
public:
    RefundDialog(const Ui &ui, PaymentsApi &api, const AdminPayment &payment,
                 const std::optional<UnansweredRefund> &unanswered, QWidget *parent = nullptr);
    const RefundForm &form() const { return m_form; }

private:
    QWidget *previewBox(const Ui &ui);
    void show(const RefundPreview &preview);
    void refresh();

    RefundForm m_form;
    RefundLotsModel m_lots;
    ChipGroup *m_share;
    QLineEdit *m_amount;
    QLineEdit *m_reason;
    StateView *m_view;
    QWidget *m_lotsBox;
    DataTable *m_lotsTable;
    Facts *m_figures;
    QLabel *m_sentence;
    QLabel *m_problem;
    QPushButton *m_again;
    QPushButton *m_cancel;
    QPushButton *m_go;
};

} // namespace companion::console
