#pragma once

#include "console/models/MoneyModels.h"
#include "console/models/Rights.h"
#include "console/ui/Ui.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/StateView.h"

#include <QLineEdit>
#include <QSplitter>

class QHBoxLayout;

namespace companion::console {

// One part of the payments page.
class MoneyTab : public QWidget
{
    Q_OBJECT
public:
    // Comes into view; `detail` is what to open in it.
    virtual void open(const QString &detail) = 0;
    virtual bool isSettled() const = 0;
    virtual void setRoles(const QList<Role> &) { }
    virtual QString context() const { return {}; } // one line under the page's title

Q_SIGNALS:
    void settled();
    void wandered(const QString &detail);
    void contextChanged();
    void userWanted(const companion::UserId &user);
    void paymentWanted(const companion::PaymentId &payment);

protected:
    explicit MoneyTab(QWidget *parent = nullptr)
        : QWidget(parent)
    {
    }
};

// What every list of money is made of: filters, the table with what stands for it while there is none, and a pane at
// the right that opens on a row, follows the arrows, and closes on Esc.
class MoneyList : public QWidget
{
    Q_OBJECT
public:
    struct Words
    {
        QString none, noneHow;     // nothing there at all
        QString found, foundHow;   // nothing that the filters let through
    };

    MoneyList(const Ui &ui, const char *name, const QString &title, const Words &words, QWidget *parent = nullptr);

    DataTable *table() const { return m_table; }
    StateView *view() const { return m_view; }
    void addSearch(const char *name, const QString &placeholder);
    void addFilter(QWidget *filter);
    void addAction(QWidget *action); // at the right of the filters
    QString searched() const;
    void follow(ListNews &news, const std::function<bool()> &filtered);
    // Columns that make room for the pane, beside those that the person has hidden.
    void setPane(QWidget *pane, const QList<int> &spared);
    void showPane();
    void choose(const QString &key); // the row of this KeyRole, where it is there
    void hidePane();
    bool isPaneShown() const { return m_pane && m_pane->isVisibleTo(m_splitter); }
    // The row in question, where one is.
    QModelIndex current() const { return m_table->currentIndex(); }

Q_SIGNALS:
    void searchChanged();
    void settled();
    void retryRequested();
    void opened(const QModelIndex &index); // Enter, a click; the arrows too while the pane is there
    void paneClosed();

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    Words m_words;
    DataTable *m_table;
    StateView *m_view;
    QSplitter *m_splitter;
    QHBoxLayout *m_filters;
    QHBoxLayout *m_actions;
    QLineEdit *m_search = nullptr;
    QWidget *m_pane = nullptr;
    QList<int> m_spared;
    QList<int> m_hidden; // of those, while the pane is there
    QTimer m_typing;
    QTimer m_arrows;
};

// A pane's frame: what stands at the top, a way to close it, and the rest, which scrolls.
QWidget *scrolled(QWidget *content);

} // namespace companion::console
