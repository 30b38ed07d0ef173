#pragma once

#include <QDialog>
#include <QIcon>

class QLineEdit;
class QListWidget;

namespace companion::console {

// Ctrl+K: type a few letters, Enter goes there.
class PagePalette : public QDialog
{
    Q_OBJECT
public:
    struct Target
    {
        QString place;
        QString title;
        QIcon icon;
    };
    explicit PagePalette(const QList<Target> &targets, QWidget *parent = nullptr);

Q_SIGNALS:
    void chosen(const QString &place);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void filter(const QString &text);
    void take();

    QList<Target> m_targets;
    QLineEdit *m_text;
    QListWidget *m_list;
};

} // namespace companion::console
