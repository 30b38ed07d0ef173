#pragma once

#include "console/models/Roles.h"
#include "console/ui/theme/Theme.h"

#include <QWidget>

namespace companion::console {

// A state as tables draw it, outside of a table: a small dot of its colour, and its word.
class StateWord : public QWidget
{
    Q_OBJECT
public:
    explicit StateWord(Theme &theme, QWidget *parent = nullptr);
    void show(const QString &word, Tone tone);
    using QWidget::show;
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Theme &m_theme;
    QString m_word;
    Tone m_tone = Tone::Neutral;
};

} // namespace companion::console
