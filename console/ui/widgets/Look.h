#pragma once

#include "console/ui/theme/Tokens.h"

#include <QBoxLayout>
#include <QLabel>
#include <QPushButton>

namespace companion::console {

// The style sheet's looks by name ("card", "primary", "quiet", …), and the few widgets everybody makes with them.
void setLook(QWidget *widget, const char *look);

QLabel *label(const QString &text, const char *look = "");
// `name` is the object name; the text is also the accessible one.
QPushButton *button(const QString &text, const char *name, const char *look = "");
QFrame *card(const char *name = "");
QFrame *hairline();
QHBoxLayout *dialogButtons(QPushButton *cancel, QPushButton *go);

template <class Layout>
Layout *plain(Layout *layout, int spacing = 0)
{
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(spacing);
    return layout;
}

// A form field: its label above it by 4, what is wrong with it beneath, in the field's own words.
class FormField : public QWidget
{
    Q_OBJECT
public:
    FormField(const QString &title, QWidget *editor, QWidget *parent = nullptr);
    void setProblem(const QString &problem); // empty: fine
    QWidget *editor() const { return m_editor; }

private:
    QWidget *m_editor;
    QLabel *m_problem;
};

} // namespace companion::console
