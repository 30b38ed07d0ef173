#pragma once

#include "console/ui/Ui.h"

#include <QVBoxLayout>
#include <QWidget>

class QLabel;

namespace companion::console {

// One page of the console: title, one line of context, its one primary action at the right, then the content.
class ConsolePage : public QWidget
{
    Q_OBJECT
public:
    // Comes into view; `detail` is what to open on it, empty for the page itself.
    virtual void open(const QString &detail) = 0;
    // Everything asked for is there, or has failed: what is seen will stay as it is.
    virtual bool isSettled() const = 0;

Q_SIGNALS:
    void settled();
    void wandered(const QString &detail); // what is open on the page changed by a click inside it

protected:
    explicit ConsolePage(QWidget *parent = nullptr)
        : QWidget(parent)
    {
    }
};

// The head of a page. Actions are added from the left; the primary one last.
class PageHead : public QWidget
{
    Q_OBJECT
public:
    explicit PageHead(const QString &title, QWidget *parent = nullptr);
    void setTitle(const QString &title);
    void setContext(const QString &context);
    void addLeading(QWidget *widget); // before the title: back, avatar
    void addAction(QWidget *widget);

private:
    QLabel *m_title;
    QLabel *m_context;
    QHBoxLayout *m_row;
    int m_leading = 0;
};

} // namespace companion::console
