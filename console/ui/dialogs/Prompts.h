#pragma once

#include <QString>
#include <functional>

class QDialog;
class QWidget;

namespace companion::console {

// A dangerous or public act, told before it is done.
struct Question
{
    QString title;
    QString sentence; // what will change
    QList<std::pair<QString, QString>> figures = {}; // before and after, say
    QString verb; // on the button: "Publish v4"
    bool dangerous = true;
};

// Every dialog is shown through here, so that a test can answer it instead of a person.
class Prompts
{
public:
    virtual ~Prompts() = default;
    // Shows the dialog without waiting; it deletes itself when closed. What follows hangs on its signals.
    virtual void show(QDialog *dialog);
    // then() runs when the person has agreed, and only then.
    void confirm(QWidget *parent, const Question &question, std::function<void()> then);
};

} // namespace companion::console
