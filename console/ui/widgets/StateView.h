#pragma once

#include "console/client/Problem.h"
#include "console/ui/theme/Theme.h"

#include <QStackedLayout>
#include <QTimer>
#include <QWidget>

class QLabel;
class QPushButton;

namespace companion::console {

// The grey shapes of what is coming.
class Skeleton : public QWidget
{
    Q_OBJECT
public:
    enum class Shape { Rows, Block };
    Skeleton(Theme &theme, Shape shape, QWidget *parent = nullptr);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Theme &m_theme;
    Shape m_shape;
};

// Content and what stands for it while there is none: a skeleton after 150 ms of loading, a word on what would be here,
// or what went wrong with Retry. Content that is there already stays while it is loaded anew.
class StateView : public QWidget
{
    Q_OBJECT
public:
    enum class State { Loading, Content, Empty, Failed };
    Q_ENUM(State)

    StateView(Theme &theme, QWidget *content, Skeleton::Shape shape, QWidget *parent = nullptr);

    State state() const { return m_state; }
    bool isSettled() const { return m_state != State::Loading; }
    void setLoading();
    void setContent();
    void setEmpty(const QString &what, const QString &how);
    void setFailed(const Problem &problem);

Q_SIGNALS:
    void retryRequested();
    void settled();

private:
    QWidget *messagePage();
    void settle(State state, QWidget *page);
    void showMessage(const char *icon, const QString &what, const QString &how, bool retry);

    Theme &m_theme;
    State m_state = State::Loading;
    bool m_hasContent = false;
    QWidget *m_content;
    QWidget *m_blank;
    Skeleton *m_skeleton;
    QLabel *m_icon;
    QLabel *m_what;
    QLabel *m_how;
    QPushButton *m_retry;
    QWidget *m_message; // made of the four above
    QTimer m_delay;
    QStackedLayout *m_stack;
};

} // namespace companion::console
