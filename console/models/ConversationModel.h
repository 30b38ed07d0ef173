#pragma once

#include "common/models/Character.h"
#include "console/client/PersonaTestApi.h"

#include <QAbstractListModel>
#include <QPointer>

namespace companion::console {

// One column of the persona test: what was said, the reply as it streams in, and the figures of each reply.
class ConversationModel : public QAbstractListModel
{
    Q_OBJECT
public:
    enum class State { Complete, Streaming, Stopped, Failed };
    Q_ENUM(State)
    enum Role { TextRole = Qt::UserRole + 1, FromUserRole, StateRole, FiguresRole, ProblemRole };

    struct Entry
    {
        bool fromUser = false;
        QString text = {};
        State state = State::Complete;
        std::optional<PersonaTestResult> result = {}; // of a complete reply
        QString problem = {}; // of a failed one
    };
    struct Subject
    {
        CharacterId character;
        std::optional<int> version; // the draft where missing
        Mode mode = Mode::Normal;
        bool operator==(const Subject &) const = default;
    };

    ConversationModel(PersonaTestApi &api, const Subject &subject, QObject *parent = nullptr);

    int rowCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    const Entry &entry(int row) const { return m_entries.at(row); }
    const Subject &subject() const { return m_subject; }

    bool isStreaming() const { return !m_stream.isNull(); }
    // Another persona begins a new conversation.
    void setSubject(const Subject &subject);
    void clear();
    void send(const QString &text);
    void stop();
    PersonaTestRequest request() const; // for the conversation as it stands

Q_SIGNALS:
    void streamingChanged();

private:
    void append(const Entry &entry);
    void changeLast(const std::function<void(Entry &)> &change);
    void end(const std::function<void(Entry &)> &change);

    PersonaTestApi &m_api;
    Subject m_subject;
    QList<Entry> m_entries;
    QPointer<PersonaTestStream> m_stream;
};

// The model first, where it is known: "rehearsal · 128 tokens · 0.0128 credits · 240 ms to first token · 1.4 s ·
// allowed"
QString figuresText(const PersonaTestResult &result);
QString verdictText(const QList<Verdict> &verdicts); // "allowed", or what was found
QString promptText(const PersonaTestResult &result); // the exact prompt, one part a role

} // namespace companion::console

Q_DECLARE_METATYPE(companion::console::ConversationModel::State)
