#pragma once

#include "console/models/ConversationModel.h"
#include "console/ui/Ui.h"

#include <QFrame>
#include <QScrollArea>
#include <QTimer>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace companion::console {

// One message. A reply under way lets its text appear at an even pace, however unevenly it arrives.
class Bubble : public QFrame
{
    Q_OBJECT
public:
    Bubble(const Ui &ui, bool fromUser, QWidget *parent = nullptr);
    void showEntry(const ConversationModel::Entry &entry);

Q_SIGNALS:
    void grew();
    void figuresClicked();

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void reveal();
    void setShown(const QString &text);
    void fit();

    Ui m_ui;
    QString m_text;
    qsizetype m_shown = 0;
    QTimer m_pace;
    QLabel *m_body;
    QLabel *m_problem;
    QPushButton *m_figures;
};

// A conversation as bubbles. Follows new text only while the reader is at the end.
class ConversationView : public QScrollArea
{
    Q_OBJECT
public:
    ConversationView(const Ui &ui, ConversationModel &model, const QString &emptyText, QWidget *parent = nullptr);
    void setEmptyText(const QString &text);

private:
    void append(int first, int last);
    void refresh(int row);
    void clear();
    void follow();

    Ui m_ui;
    ConversationModel &m_model;
    QWidget *m_column;
    QVBoxLayout *m_layout;
    QLabel *m_empty;
    QList<Bubble *> m_bubbles;
    bool m_atEnd = true;
};

} // namespace companion::console
