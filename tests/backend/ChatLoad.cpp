#include "backend/ChatLoad.h"

#include "common/Clock.h"
#include "db/Roles.h"
#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>

namespace companion::test {

using namespace Qt::StringLiterals;
using Seen = Attempt::Seen;

QString Order::path() const
{
    if (openAi)
        return u"/v1/chat/completions"_s;
    return stream ? u"/api/v1/chat/stream"_s : u"/api/v1/chat/completions"_s;
}

bool Order::isOpen() const
{
    if (attempts.isEmpty() || attempts.last().seen == Seen::Settled)
        return false;
    const Attempt &last = attempts.last();
    if (last.seen == Seen::Nothing || last.status == 409 || last.status == 503)
        return !key.isEmpty() || !last.message.isEmpty();
    return false;
}

// One client: asks, reads as long as it likes, asks again.
class Chatter : public QObject
{
    Q_OBJECT
public:
    Chatter(ChatLoad &load, qsizetype person, int number)
        : m_load(load)
        , m_person(person)
        , m_number(number)
    {
        m_pause.setSingleShot(true);
        connect(&m_pause, &QTimer::timeout, this, &Chatter::ask);
        m_patience.setSingleShot(true);
        connect(&m_patience, &QTimer::timeout, this, [this] {
            if (m_call)
                m_call->leave();
        });
    }

    void begin() { m_pause.start(static_cast<int>(m_load.random(30))); }

private:
    void ask()
    {
        if (!m_load.m_running || m_call)
            return;
        if (!m_order || !m_order->isOpen() || m_order->key.isEmpty() || m_order->attempts.size() > 3
            || m_load.random(3) == 0)
            m_order = &fresh();
        const Person &person = m_load.m_people[size_t(m_person)].person;
        QMap<QByteArray, QByteArray> headers;
        if (!m_order->key.isEmpty())
            headers.insert("Idempotency-Key", m_order->key);
        QByteArray bytes = HttpCall::compose(m_order->path(), m_order->body, person, headers);
        const quint32 will = m_load.random(20);
        if (will == 0) // gone before all of it was said
            bytes.truncate(m_load.random(static_cast<quint32>(bytes.size())));
        m_call = new HttpCall(m_load.anyPort(), bytes, this);
        ++m_load.m_busy;
        connect(m_call, &HttpCall::over, this, &Chatter::over, Qt::QueuedConnection);
        m_leaveAfterBytes = will == 1 ? m_load.random(3'000) : -1;
        m_stopAfterBytes = will == 2 && m_order->stream && !m_order->openAi ? 400 + m_load.random(2'000) : -1;
        connect(m_call, &HttpCall::progressed, this, &Chatter::progressed);
        m_patience.start(will == 0 ? 20 : will <= 3 ? static_cast<int>(m_load.random(200)) : 20'000);
    }

    Order &fresh()
    {
        const auto &member = m_load.m_people[size_t(m_person)];
        const bool elsewhere = m_load.random(10) == 0; // into the other chatter's session: one turn at a time
        const qsizetype session = elsewhere ? m_load.random(static_cast<quint32>(member.sessions.size())) : m_number;
        return m_load.newOrder(m_person, member.sessions.value(session));
    }

    void progressed()
    {
        if (m_leaveAfterBytes >= 0 && m_call->received() >= m_leaveAfterBytes)
            return m_call->leave();
        if (m_stopAfterBytes >= 0 && m_call->received() >= m_stopAfterBytes && !m_call->messageId().isEmpty()) {
            m_stopAfterBytes = -1;
            const QString path = u"/api/v1/chat/stream/%1/stop"_s.arg(QString::fromLatin1(m_call->messageId()));
            auto *stop = new HttpCall(m_load.anyPort(),
                                      HttpCall::compose(path, {}, m_load.m_people[size_t(m_person)].person), this);
            connect(stop, &HttpCall::over, stop, &QObject::deleteLater);
        }
    }

    void over()
    {
        m_patience.stop();
        m_order->attempts.append(ChatLoad::read(*m_call, *m_order));
        m_call->deleteLater();
        m_call = nullptr;
        --m_load.m_busy;
        const auto &last = m_order->attempts.last();
        m_pause.start(static_cast<int>(last.seen == Seen::Settled ? m_load.random(20) : 50 + m_load.random(100)));
    }

    ChatLoad &m_load;
    qsizetype m_person;
    int m_number;
    Order *m_order = nullptr;
    HttpCall *m_call = nullptr;
    qint64 m_leaveAfterBytes = -1;
    qint64 m_stopAfterBytes = -1;
    QTimer m_pause;
    QTimer m_patience;
};

ChatLoad::ChatLoad(const db::Target &owner, int people, int chattersEach)
    : m_chattersEach(chattersEach)
{
    makePeople(owner, people);
    for (int person = 0; person < people; ++person)
        for (int number = 0; number < chattersEach; ++number)
            m_chatters.push_back(std::make_unique<Chatter>(*this, person, number));
}

ChatLoad::~ChatLoad() = default;

// Most have plenty; every sixth runs dry now and then. Nobody is held up by the tier's rate.
void ChatLoad::makePeople(const db::Target &owner, int people)
{
    const SystemClock clock;
    {
        db::Session books(owner, clock);
        books.script(u"UPDATE tiers SET requests_per_minute = 1000000, daily_credits = CASE code WHEN 'free' THEN 0.6 "
                     "ELSE 100000 END"_s);
    }
    db::Session operators(owner.as(QString::fromLatin1(db::operatorRole), {}), clock);
    db::Transaction transaction(operators);
    const identity::AccountStore accounts;
    for (int i = 0; i < people; ++i) {
        const QString name = u"chatter%1"_s.arg(i);
        const auto account =
            accounts.create(operators, {.displayName = name, .email = QString(name + u"@example.com"_s)}, clock.now());
        ensure(account.has_value(), "the address is free");
        if (i % 6 != 5)
            (void)accounts.setTier(operators, account->id(), Tier::Vip, std::nullopt, clock.now());
        m_people.push_back(
            {identity::AccessKeys().create(operators, account->id(), std::nullopt).key, {account->id(), {}}, {}});
    }
    transaction.commit();
}

void ChatLoad::signIn(QList<quint16> ports)
{
    m_ports = std::move(ports);
    std::vector<std::unique_ptr<HttpCall>> calls;
    for (const Member &member : m_people)
        calls.push_back(std::make_unique<HttpCall>(
            m_ports.first(),
            HttpCall::compose(u"/api/v1/auth/login"_s,
                              {{u"provider"_s, u"access_key"_s}, {u"token"_s, member.accessKey}}, {})));
    for (size_t i = 0; i < m_people.size(); ++i) {
        calls[i]->await();
        m_people[i].person.token =
            QJsonDocument::fromJson(calls[i]->answer().body).object()[u"access_token"_s].toString().toLatin1();
        ensure(!m_people[i].person.token.isEmpty(), "everybody can sign in");
        while (m_people[i].sessions.size() < m_chattersEach) {
            HttpCall open(m_ports.first(),
                          HttpCall::compose(u"/api/v1/chat/sessions"_s, {{u"character"_s, u"aria"_s}},
                                            m_people[i].person));
            open.await();
            m_people[i].sessions << open.answer().json()[u"id"_s].toString();
            ensure(!m_people[i].sessions.last().isEmpty(), "everybody can open a session");
        }
    }
}

void ChatLoad::start(quint32 seed)
{
    m_random.seed(seed);
    m_seed = seed;
    m_running = true;
    for (const auto &chatter : m_chatters)
        static_cast<Chatter *>(chatter.get())->begin();
}

void ChatLoad::finish()
{
    m_running = false;
    QElapsedTimer waited;
    waited.start();
    while (m_busy > 0 && waited.elapsed() < 30'000)
        QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 20);
    ensure(m_busy == 0, "every call ends");
}

quint16 ChatLoad::anyPort()
{
    return m_ports[random(static_cast<quint32>(m_ports.size()))];
}

// What the model is told to do, within the words of the question.
QString ChatLoad::script()
{
    const QString usual = u"pace=%1 tokens=%2"_s.arg(random(12)).arg(3 + random(40));
    switch (random(24)) {
    case 0:
        return usual + u" cut=%1"_s.arg(random(8));
    case 1:
        return u"status=400"_s;
    case 2:
        return usual + u" error=%1"_s.arg(random(8));
    case 3:
        return usual + u" no-usage"_s;
    case 4:
        return usual + u" stall=%1"_s.arg(random(4)); // until the generation limit
    case 5:
        return u"pace=0 tokens=1"_s;
    case 6:
        return usual + u" no-done finish=length"_s;
    case 7:
        return u"pace=15 tokens=200"_s; // beyond the generation limit
    default:
        return usual;
    }
}

Order &ChatLoad::newOrder(qsizetype person, const QString &session)
{
    auto order = std::make_unique<Order>();
    order->person = person;
    order->nonce = u"n%1-%2"_s.arg(m_seed, 8, 16, QLatin1Char('0')).arg(m_orders.size());
    order->openAi = random(4) == 0;
    order->stream = random(2) == 0;
    // A stateless order is found again by its key alone.
    if (order->openAi || random(2) == 0)
        order->key = order->nonce.toLatin1();
    const QString text = QString(order->nonce + u" [[fake: "_s + script() + u"]]"_s);
    if (order->openAi)
        order->body = {{u"model"_s, u"aria"_s},
                       {u"messages"_s, QJsonArray{QJsonObject{{u"role"_s, u"user"_s}, {u"content"_s, text}}}},
                       {u"max_tokens"_s, 64}};
    else
        order->body = {{u"session_id"_s, session}, {u"message"_s, text}, {u"max_tokens"_s, 64}};
    if (order->openAi && order->stream)
        order->body.insert(u"stream"_s, true);
    m_orders.push_back(std::move(order));
    return *m_orders.back();
}

// A stream's closing chunk tells the charge; it comes only after the settlement has committed.
Attempt ChatLoad::read(const HttpCall &call, const Order &order)
{
    const Answer answer = call.answer();
    Attempt attempt{.message = answer.headers.value("x-message-id"),
                    .content = {},
                    .amount = {},
                    .status = answer.status};
    attempt.replayed = answer.headers.contains("idempotency-replayed");
    const bool isStream = answer.headers.value("content-type").startsWith("text/event-stream");
    if (!isStream && !call.isWhole())
        return attempt;
    QList<Event> events = isStream ? call.events() : QList<Event>{{{}, {}, answer.body}};
    for (const Event &event : events) {
        const QJsonObject json = event.json();
        const QJsonObject choice = json[u"choices"_s][0].toObject();
        attempt.content += choice[isStream ? u"delta"_s : u"message"_s][u"content"].toString();
        if (json[u"companion"_s].toObject().contains(u"charge"_s)) {
            attempt.seen = Seen::Settled;
            attempt.message = json[u"companion"_s][u"message_id"].toString().toLatin1();
            attempt.amount = json[u"companion"_s][u"charge"][u"amount"].toString();
        }
        const QString code = order.openAi && json.contains(u"error"_s) ? json[u"error"_s][u"code"].toString()
                                                                       : json[u"code"_s].toString();
        if (!code.isEmpty()) {
            attempt.code = code;
            attempt.seen = answer.status >= 500 || answer.status == 200 ? Seen::Failed : Seen::Refused;
        }
    }
    return attempt;
}

void ChatLoad::recover(int wait_ms)
{
    QElapsedTimer waited;
    waited.start();
    for (;;) {
        std::vector<std::pair<Order *, std::unique_ptr<HttpCall>>> calls;
        for (const auto &order : m_orders) {
            if (!order->isOpen() || calls.size() >= 64)
                continue;
            const Person &person = m_people[size_t(order->person)].person;
            const QByteArray message = order->attempts.last().message;
            const bool byId = order->key.isEmpty() || (!message.isEmpty() && random(2) == 0);
            const QByteArray bytes = byId
                ? HttpCall::compose("GET", u"/api/v1/chat/stream/"_s + QString::fromLatin1(message), {}, person.token)
                : HttpCall::compose(order->path(), order->body, person, {{"Idempotency-Key", order->key}});
            calls.emplace_back(order.get(), std::make_unique<HttpCall>(anyPort(), bytes));
        }
        if (calls.empty())
            return;
        bool busy = false;
        for (const auto &[order, call] : calls) {
            call->await();
            Attempt attempt = read(*call, *order);
            busy = busy || attempt.status == 409;
            if (attempt.message.isEmpty()) // a refusal names no message: the one it was asked by stays known
                attempt.message = order->key.isEmpty() ? order->attempts.last().message : QByteArray();
            order->attempts.append(attempt);
        }
        if (waited.elapsed() > wait_ms)
            return;
        QElapsedTimer pause;
        pause.start();
        while (busy && pause.elapsed() < 300)
            QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 20);
    }
}

QStringList ChatLoad::breaches(db::Session &owner) const
{
    QHash<QString, db::Row> turns;
    QMultiHash<QString, QString> byNonce;
    const auto rows =
        owner.script(uR"(SELECT t.message_id, t.status, coalesce(q.content, t.idempotency_key, '') AS words,
                   coalesce(-h.amount, 0)::text AS charged, coalesce(r.content, t.reply, '') AS content
              FROM chat_turns t
              LEFT JOIN chat_messages q ON q.turn_id = t.message_id AND q.role = 'user'
              LEFT JOIN chat_messages r ON r.id = t.message_id
              LEFT JOIN transaction_history h ON h.hold_id = t.hold_id AND h.kind = 'chat')"_s);
    for (const db::Row &row : rows) {
        turns.insert(row.text("message_id"), row);
        byNonce.insert(row.text("words").section(u' ', 0, 0), row.text("message_id"));
    }
    QStringList found;
    for (const auto &order : m_orders)
        found += breachesOf(*order, turns, byNonce);
    return found;
}

QStringList ChatLoad::breachesOf(const Order &order, const QHash<QString, db::Row> &turns,
                                 const QMultiHash<QString, QString> &byNonce) const
{
    QStringList found;
    const auto breach = [&](const QString &what) { found << QString(order.nonce + u": "_s + what); };
    int charged = 0;
    for (const QString &message : byNonce.values(order.nonce))
        charged += turns[message].text("charged") != u"0";
    if (charged > 1)
        breach(u"charged %1 times"_s.arg(charged));
    bool mayBeCharged = false;
    for (const Attempt &attempt : order.attempts) {
        mayBeCharged = mayBeCharged || attempt.seen == Seen::Settled || attempt.seen == Seen::Nothing;
        const QString message = QString::fromLatin1(attempt.message);
        const auto turn = turns.constFind(message);
        if (!message.isEmpty() && turn == turns.cend()) {
            if (attempt.seen != Seen::Refused)
                breach(u"turn %1 was announced and is nowhere"_s.arg(message));
            continue;
        }
        if (attempt.seen == Seen::Settled) {
            if (turn->text("status") != u"settled")
                breach(u"turn %1 was told as settled and is %2"_s.arg(message, turn->text("status")));
            else if (Credits::parse(turn->text("charged")) != Credits::parse(attempt.amount))
                breach(u"turn %1 was told to cost %2, the books say %3"_s.arg(message, attempt.amount,
                                                                              turn->text("charged")));
            if (turn->text("content") != attempt.content)
                breach(u"turn %1 reads otherwise than it was sent"_s.arg(message));
        } else if (attempt.seen == Seen::Failed && !message.isEmpty() && turn->text("charged") != u"0") {
            breach(u"turn %1 was told as failed (%2) and is charged"_s.arg(message, attempt.code));
        }
    }
    if (!mayBeCharged && charged > 0)
        breach(u"every try was refused or failed, yet it is charged"_s);
    return found;
}

int ChatLoad::settled(int fromOrder) const
{
    int count = 0;
    for (size_t i = size_t(fromOrder); i < m_orders.size(); ++i)
        for (const Attempt &attempt : m_orders[i]->attempts)
            count += attempt.seen == Seen::Settled;
    return count;
}

QString ChatLoad::summary() const
{
    QMap<QString, int> counts;
    for (const auto &order : m_orders)
        for (const Attempt &attempt : order->attempts) {
            const bool told = attempt.seen == Seen::Failed || attempt.seen == Seen::Refused;
            ++counts[attempt.seen == Seen::Settled ? (attempt.replayed ? u"replayed"_s : u"settled"_s)
                         : told                    ? attempt.code
                                                   : u"unknown"_s];
        }
    QStringList parts{u"%1 orders"_s.arg(m_orders.size())};
    for (auto it = counts.begin(); it != counts.end(); ++it)
        parts << u"%1 %2"_s.arg(it.value()).arg(it.key());
    return parts.join(u", "_s);
}

} // namespace companion::test

#include "ChatLoad.moc"
