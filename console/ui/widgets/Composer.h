#pragma once

#include <QPlainTextEdit>

namespace companion::console {

// Where a message is written: grows to 6 lines, Enter sends, Shift+Enter breaks the line.
class Composer : public QPlainTextEdit
{
    Q_OBJECT
public:
    explicit Composer(QWidget *parent = nullptr);

Q_SIGNALS:
    void sent(const QString &text);

public:
    void send();

protected:
    void keyPressEvent(QKeyEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void grow();
};

} // namespace companion::console
