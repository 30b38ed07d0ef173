#include "console/ui/widgets/Look.h"

#include <QStyle>
#include <QVariant>

namespace companion::console {

void setLook(QWidget *widget, const char *look)
{
    widget->setProperty("look", QString::fromLatin1(look));
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
}

QLabel *label(const QString &text, const char *look)
{
    auto *label = new QLabel(text);
    label->setTextFormat(Qt::PlainText);
    if (*look)
        label->setProperty("look", QString::fromLatin1(look));
    return label;
}

QPushButton *button(const QString &text, const char *name, const char *look)
{
    auto *button = new QPushButton(text);
    button->setObjectName(QString::fromLatin1(name));
    button->setAccessibleName(text);
    button->setAutoDefault(false);
    button->setCursor(Qt::PointingHandCursor);
    if (*look)
        button->setProperty("look", QString::fromLatin1(look));
    return button;
}

QFrame *card(const char *name)
{
    auto *frame = new QFrame;
    frame->setObjectName(QString::fromLatin1(name));
    frame->setProperty("look", QStringLiteral("card"));
    return frame;
}

QFrame *hairline()
{
    auto *line = new QFrame;
    line->setProperty("look", QStringLiteral("hairline"));
    line->setFixedHeight(1);
    return line;
}

QHBoxLayout *dialogButtons(QPushButton *cancel, QPushButton *go)
{
    auto *row = plain(new QHBoxLayout, space::s);
    row->addStretch();
    row->addWidget(cancel);
    row->addWidget(go);
    return row;
}

FormField::FormField(const QString &title, QWidget *editor, QWidget *parent)
    : QWidget(parent)
    , m_editor(editor)
    , m_problem(label({}, "problem"))
{
    auto *layout = plain(new QVBoxLayout(this), space::xs);
    auto *name = label(title, "field");
    name->setBuddy(editor);
    editor->setAccessibleName(title);
    m_problem->setWordWrap(true);
    m_problem->hide();
    layout->addWidget(name);
    layout->addWidget(editor);
    layout->addWidget(m_problem);
}

void FormField::setProblem(const QString &problem)
{
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty());
    m_editor->setAccessibleDescription(problem);
    m_editor->setProperty("wrong", !problem.isEmpty());
    m_editor->style()->unpolish(m_editor);
    m_editor->style()->polish(m_editor);
}

} // namespace companion::console
