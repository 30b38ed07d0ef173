#pragma once

#include "console/client/ApiClient.h"

#include <QHash>
#include <QPixmap>

namespace companion::console {

// Avatars, fetched once from the server and drawn round. Until one is there, or where it cannot be had, the first
// letter of the name stands for it.
class ImageCache : public QObject
{
    Q_OBJECT
public:
    explicit ImageCache(ApiClient &client, QObject *parent = nullptr);

    // `address` is relative to the server, as in avatar_url. Never waits: asks for the picture and paints what there
    // is.
    void paint(QPainter &painter, const QRect &circle, const QUrl &address, const QString &name);
    bool isFetching() const { return m_underWay > 0; }
    void clear();

Q_SIGNALS:
    void arrived(const QUrl &address);

private:
    void fetch(const QUrl &address);

    ApiClient &m_client;
    QHash<QUrl, QImage> m_images; // a null image: being fetched, or not to be had
    int m_underWay = 0;
};

} // namespace companion::console
