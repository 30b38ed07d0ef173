#include "console/ui/widgets/Avatar.h"

#include <QPainter>

namespace companion::console {

Avatar::Avatar(const Ui &ui, int side, QWidget *parent)
    : QWidget(parent)
    , m_ui(ui)
{
    setFixedSize(side, side);
    connect(&ui.images, &ImageCache::arrived, this, qOverload<>(&QWidget::update));
}

void Avatar::setPerson(const QString &name, const QUrl &address)
{
    m_name = name;
    m_address = address;
    setAccessibleName(name);
    update();
}

void Avatar::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    m_ui.images.paint(painter, rect(), m_address, m_name);
}

} // namespace companion::console
