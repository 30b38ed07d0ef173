#include "console/ui/widgets/Composer.h"

#include "console/ui/theme/Tokens.h"

#include <QKeyEvent>
#include <QTextDocument>

namespace companion::console {

Composer::Composer(QWidget *parent)
    : QPlainTextEdit(parent)
{
    setObjectName(u"composer");
    setAccessibleName(tr("Message"));
    setPlaceholderText(tr("Write as a user would. Enter sends."));
    setTabChangesFocus(true);

    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(this, &QPlainTextEdit::textChanged, this, &Composer::grow);
    grow();
}

void Composer::send()
{
    const QString text = toPlainText().trimmed();
    if (!text.isEmpty())
        Q_EMIT sent(text);
}

void Composer::keyPressEvent(QKeyEvent *event)
{
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && !(event->modifiers() & Qt::ShiftModifier))
        send();
    else
        QPlainTextEdit::keyPressEvent(event);
}

void Composer::resizeEvent(QResizeEvent *event)
{
    QPlainTextEdit::resizeEvent(event);
    grow();
}

void Composer::grow()
{
    const int wanted = static_cast<int>(document()->size().height());
    const int lines = qBound(1, wanted, size::composerLines);
    setVerticalScrollBarPolicy(wanted > lines ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
    setFixedHeight(lines * fontMetrics().lineSpacing() + 2 * space::s + 2);
}

} // namespace companion::console
