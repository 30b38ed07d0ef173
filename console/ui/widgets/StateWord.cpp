#include "console/ui/widgets/StateWord.h"

#include <QPainter>

namespace companion::console {

namespace {

constexpr int dotSize = 7;

} // namespace

StateWord::StateWord(Theme &theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&theme, &Theme::changed, this, qOverload<>(&StateWord::update));
}

void StateWord::show(const QString &word, Tone tone)
{
    m_word = word;
    m_tone = tone;
    setAccessibleName(word);
    updateGeometry();
    update();
}

QSize StateWord::sizeHint() const
{
    return {dotSize + space::s + fontMetrics().horizontalAdvance(m_word) + 2, fontMetrics().height()};
}

void StateWord::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.tokens().tone(m_tone));
    painter.drawEllipse(QRectF(0.5, (height() - dotSize) / 2.0 + 0.5, dotSize, dotSize));
    painter.setPen(m_theme.tokens().text);
    painter.drawText(rect().adjusted(dotSize + space::s, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, m_word);
}

} // namespace companion::console
