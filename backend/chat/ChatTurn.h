#pragma once

#include "chat/ChatService.h"
#include "chat/Delivery.h"
#include "chat/TurnLane.h"
#include "db/Workers.h"
#include "llm/LanguageModel.h"
#include "memory/Gathering.h"
#include "moderation/RemoteModeration.h"

#include <QObject>
#include <QPointer>
#include <QTimer>
#include <memory>

namespace companion::chat {

class LiveTurns;

// One paid turn, from the order to the settled books. Every part leaves the database in a state that another instance
// can finish or give up. Loop thread; deletes itself at its end.
class ChatTurn : public QObject
{
    Q_OBJECT
public:
    struct Surroundings
    {
        const ChatService &chat;
        db::Workers &workers; // the app lane
        TurnLane &lane;
        llm::LanguageModel &model;
        LiveTurns &live;
        memory::Gatherer *gatherer = nullptr; // null: nothing is ever to be gathered
        std::function<void()> remembered = {}; // something was put into the memory's queue
        moderation::RemoteModeration *remote = nullptr; // may be missing
        QString spicyModel = {}; // the provider's model for the spicy mode; empty: the same
    };

    ChatTurn(const Surroundings &surroundings, TurnOrder order, std::shared_ptr<Delivery> delivery);

    void begin();
    void join(std::shared_ptr<Delivery> delivery, qint64 fromByte); // a client that comes back for the reply
    void stop(); // the user's stop button: charged for what there is
    void abandon(const Refusal &why); // shutting down: free

    const Turn &turn() const { return m_turn; }

private:
    void asked(moderation::RemoteAnswer answer);
    void admit();
    void looked(Result<std::optional<Admission>> admission);
    void beginAlone();
    void settledTogether(Result<std::optional<Outcome>> outcome);
    void settleAlone();
    void admitted(Result<Admission> admission);
    void gather(const ToGather &wanted);
    void generate();
    void relay(const QString &delta);
    void release(const moderation::Release &release);
    void generated(const Result<llm::Completion> &completion);
    void settle();
    void settled(Result<Outcome> outcome);
    void giveUp(const Refusal &why);
    void gaveUp(const Result<std::optional<Outcome>> &settled, const Refusal &why);
    void withdraw(const moderation::Verdict &verdict);
    void withdrew(const Result<bool> &done, const moderation::Verdict &verdict);
    void finish(const Outcome &outcome);
    void fail(const Refusal &refusal, bool replayed = false);
    void tell(const Refusal &refusal, bool replayed);
    void end();
    bool mayTryAgain(ErrorCode code) const;
    int nextPause_ms();

    Surroundings m_;
    TurnOrder m_order;
    Turn m_turn;
    QList<std::shared_ptr<Delivery>> m_deliveries;
    QPointer<llm::Generation> m_generation;
    std::unique_ptr<moderation::OutputScreen> m_screen;
    llm::Completion m_completion;
    QByteArray m_released; // UTF-8
    QTimer m_limit;
    QDateTime m_deadline; // nothing is tried again after it
    int m_tries = 0; // that failed for want of the database
    bool m_settling = false;
    bool m_ended = false;
};

} // namespace companion::chat
