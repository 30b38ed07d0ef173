#include "console/ui/ImageCache.h"

#include "console/ui/theme/Theme.h"

#include <QPainter>
#include <QPainterPath>
#include <QSvgRenderer>

namespace companion::console {

namespace {

constexpr int keptSide = 192; // pixels: sharp at 96 on a screen of ratio 2
constexpr qint64 largestPicture = 4 * 1024 * 1024;

QImage decoded(const QByteArray &bytes)
{
    if (QImage image; image.loadFromData(bytes))
        return image.scaled(keptSide, keptSide, Qt::KeepAspectRatioByExpanding, Qt::SmoothTransformation);
    QSvgRenderer renderer;
    if (!renderer.load(bytes))
        return {};
    QImage image(keptSide, keptSide, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    renderer.render(&painter);
    return image;
}

void paintLetter(QPainter &painter, const QRect &circle, const QString &name)
{
    const QList<QColor> hues = Tokens::light().series;
    const QColor hue = name.isEmpty() ? hues.last() : hues.at(qHash(name, 7) % static_cast<size_t>(hues.size()));
    painter.setPen(Qt::NoPen);
    painter.setBrush(Tokens::tint(hue, 0.22));
    painter.drawEllipse(circle);
    painter.setFont(Theme::font(qMax(10, circle.height() * 45 / 100), QFont::Bold));
    painter.setPen(hue);
    painter.drawText(circle, Qt::AlignCenter, name.left(1).toUpper());
}

} // namespace

ImageCache::ImageCache(ApiClient &client, QObject *parent)
    : QObject(parent)
    , m_client(client)
{
}

void ImageCache::clear()
{
    m_images.clear();
}

void ImageCache::paint(QPainter &painter, const QRect &circle, const QUrl &address, const QString &name)
{
    if (!address.isEmpty() && !m_images.contains(address))
        fetch(address);
    painter.save();
    painter.setRenderHints(QPainter::Antialiasing | QPainter::SmoothPixmapTransform);
    if (const QImage image = m_images.value(address); !image.isNull()) {
        QPainterPath path;
        path.addEllipse(circle);
        painter.setClipPath(path);
        painter.drawImage(circle, image, QRect((image.width() - keptSide) / 2, 0, keptSide, keptSide));
    } else {
        paintLetter(painter, circle, name);
    }
    painter.restore();
}

void ImageCache::fetch(const QUrl &address)
{
    m_images.insert(address, {});
    ++m_underWay;
    m_client.file(address).then(this, [this, address](const ApiResult<ApiAnswer> &answer) {
        --m_underWay;
        if (answer && answer->body.size() <= largestPicture)
            m_images.insert(address, decoded(answer->body));
        Q_EMIT arrived(address);
    });
}

} // namespace companion::console
