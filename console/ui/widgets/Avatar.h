#pragma once

#include "console/ui/Ui.h"

#include <QUrl>
#include <QWidget>

namespace companion::console {

// A round picture, or the name's first letter.
class Avatar : public QWidget
{
    Q_OBJECT
public:
    Avatar(const Ui &ui, int side, QWidget *parent = nullptr);
    void setPerson(const QString &name, const QUrl &address = {});

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Ui m_ui;
    QString m_name;
    QUrl m_address;
};

} // namespace companion::console
