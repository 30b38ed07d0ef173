// Turns that begin and end by the statements that do many at once: each as it would alone, whatever its neighbours are.

#include "ChatFixture.h"
#include "chat/TurnLane.h"

#include <QRegularExpression>

using namespace companion;
using namespace companion::chat;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class TurnsTogetherTest : public QObject, private test::ChatFixture
{
    Q_OBJECT

    struct Person
    {
        UserId user;
        SessionId session;
    };

private Q_SLOTS:
    void init()
    {
        makeFeatures();
        m_people.clear();
        for (int i = 0; i < 6; ++i) {
            m_user = newUser(u"person%1@example.com"_s.arg(i));
            m_session = openSession(m_user, u"aria"_s);
            QVERIFY(chat().quote(m_db->app(), order(u"Hello"_s))); // the day's refresh is behind them
            m_people.append({m_user, m_session});
        }
    }

    void what_is_done_together_is_what_is_done_alone()
    {
        for (int round = 0; round < 3; ++round) {
            std::vector<TurnOrder> orders;
            for (int i = 0; i < 6; ++i)
                orders.push_back(
                    orderOf(i, u"Hello %1, do you {remember}, \"me\"?"_s.arg(round), round == 1 ? u"key"_s : u""_s));
            std::vector<TurnOrder> together(orders.begin(), orders.begin() + 3);
            auto turns = begunTogether(together);
            for (int i = 3; i < 6; ++i)
                turns.push_back(std::get<Turn>(*chat().begin(m_db->app(), orders[size_t(i)])));
            compareAll();
            m_db->clock().advance(2s);
            std::vector<EndedTurn> ended;
            for (const Turn &turn : turns)
                ended.push_back({turn, completion(300 + 100 * round)});
            const auto outcomes = chat().settleTogether(m_db->operators(), {ended.begin(), ended.begin() + 3});
            for (size_t i = 3; i < 6; ++i) {
                const auto alone = chat().settle(m_db->app(), ended[i].turn, ended[i].completion);
                QVERIFY(outcomes[i - 3]);
                QCOMPARE(toJson(outcomes[i - 3]->companion.charge), toJson(alone->companion.charge));
                QCOMPARE(toJson(outcomes[i - 3]->companion.balance), toJson(alone->companion.balance));
                QCOMPARE(outcomes[i - 3]->content, alone->content);
            }
            compareAll();
            m_db->clock().advance(3s);
        }
        verifyBooks();
    }

    void what_is_not_the_plain_case_is_left_and_its_neighbours_go_on_data()
    {
        QTest::addColumn<QString>("oddity");
        for (const char *oddity :
             {"another's session", "no such session", "a turn runs in it", "a used key", "suspended",
              "too little credit", "a crisis", "against the rules", "the spicy mode", "signed out", "not seen lately",
              "a debt", "something is due", "the wallet is locked", "yesterday's refresh"})
            QTest::newRow(oddity) << QString::fromLatin1(oddity);
    }
    void what_is_not_the_plain_case_is_left_and_its_neighbours_go_on()
    {
        QFETCH(QString, oddity);
        std::vector<TurnOrder> orders{orderOf(0, u"Hello"_s), orderOf(1, u"Hello"_s), orderOf(2, u"Hello"_s)};
        TurnOrder &odd = orders[1];
        db::Session other(m_db->ownerTarget(), m_db->clock());
        std::optional<db::Transaction> elsewhere;
        if (oddity == u"another's session"_s)
            odd.session = m_people[5].session;
        else if (oddity == u"no such session"_s)
            odd.session = SessionId::create();
        else if (oddity == u"a turn runs in it"_s)
            QVERIFY(chat().begin(m_db->app(), orderOf(1, u"Before"_s)));
        else if (oddity == u"a used key"_s) {
            odd.idempotencyKey = u"key"_s;
            TurnOrder first = odd;
            first.message = MessageId::create();
            const auto turn = chat().begin(m_db->app(), first);
            QVERIFY(chat().settle(m_db->app(), std::get<Turn>(*turn), completion(100)));
        } else if (oddity == u"suspended"_s)
            change(u"UPDATE users SET status = 'suspended', status_changed_at = now()"_s);
        else if (oddity == u"too little credit"_s)
            QVERIFY(m_features->ledger.adjust(m_db->operators(),
                                              {.user = m_people[1].user,
                                               .key = u"take"_s,
                                               .bucket = Bucket::DailyFree,
                                               .amount = *Credits::parse(u"-9.99"_s),
                                               .reason = u"test"_s,
                                               .actor = m_people[1].user}));
        else if (oddity == u"a crisis"_s)
            odd.text = u"I want to kill myself tonight"_s;
        else if (oddity == u"against the rules"_s)
            odd.text = u"Let us talk about sex with a 12 year old girl"_s;
        else if (oddity == u"the spicy mode"_s)
            odd.mode = Mode::Spicy;
        else if (oddity == u"signed out"_s)
            odd.claims.device = DeviceId::create();
        else if (oddity == u"not seen lately"_s)
            change(u"UPDATE users SET last_seen_at = last_seen_at - interval '6 minutes'"_s);
        else if (oddity == u"a debt"_s)
            change(u"UPDATE user_wallet SET debt = 1"_s);
        else if (oddity == u"something is due"_s)
            change(u"UPDATE user_wallet SET due_at = '-infinity'"_s);
        else if (oddity == u"the wallet is locked"_s) {
            elsewhere.emplace(other);
            other.script(u"SELECT FROM user_wallet WHERE user_id = '%1' FOR UPDATE"_s.arg(m_people[1].user.toString()));
        } else if (oddity == u"yesterday's refresh"_s)
            change(u"UPDATE user_wallet SET refreshed_on = refreshed_on - 1"_s);

        const QString before = picture(1);
        const auto begun = chat().beginTogether(m_db->operators(), orders);
        QVERIFY(begun[0] && begun[2]);
        QVERIFY(!begun[1]);
        QCOMPARE(picture(1), before);
        QCOMPARE(running(), oddity == u"a turn runs in it"_s ? u"0 1 2"_s : u"0 2"_s);
    }

    void of_two_turns_of_one_user_the_first_begins()
    {
        std::vector<TurnOrder> orders{orderOf(0, u"Hello"_s), orderOf(1, u"Hello"_s), orderOf(0, u"Again"_s)};
        orders[2].session.reset(); // by the stateless door
        orders[2].character = u"aria"_s;
        const auto begun = chat().beginTogether(m_db->operators(), orders);
        QVERIFY(begun[0] && begun[1]);
        QVERIFY(!begun[2]);
        QVERIFY(chat().begin(m_db->app(), orders[2])); // alone it may
        verifyBooks();
    }

    void what_cannot_be_settled_so_is_left_and_its_neighbours_are_settled_data()
    {
        QTest::addColumn<QString>("oddity");
        for (const char *oddity : {"given up", "settled before", "past its deadline", "another's hold",
                                   "another's turn", "nothing to charge"})
            QTest::newRow(oddity) << QString::fromLatin1(oddity);
    }
    void what_cannot_be_settled_so_is_left_and_its_neighbours_are_settled()
    {
        QFETCH(QString, oddity);
        auto turns = begunTogether({orderOf(0, u"Hello"_s), orderOf(1, u"Hello"_s), orderOf(2, u"Hello"_s)});
        const auto late = begunTogether({orderOf(3, u"Hello"_s)});
        std::vector<EndedTurn> ended;
        for (const Turn &turn : turns)
            ended.push_back({turn, completion(500)});
        EndedTurn &odd = ended[1];
        if (oddity == u"given up"_s)
            (void)chat().giveUp(m_db->app(), m_people[1].user, odd.turn.message);
        else if (oddity == u"settled before"_s)
            QVERIFY(chat().settle(m_db->app(), odd.turn, odd.completion));
        else if (oddity == u"past its deadline"_s)
            change(u"UPDATE user_wallet SET due_at = '%1'"_s.arg(
                m_db->clock().now().addSecs(-1).toString(Qt::ISODateWithMs)));
        else if (oddity == u"another's hold"_s)
            odd.turn.hold = late.front().hold;
        else if (oddity == u"another's turn"_s)
            odd.turn.message = late.front().message;
        else
            odd.turn.price = {Credits(), Credits(), Factor::fromUnits(10'000), Factor()};
        const QString before = picture(1);
        const QString others = picture(3);
        const auto settled = chat().settleTogether(m_db->operators(), ended);
        QVERIFY(settled[0] && settled[2]);
        QVERIFY(!settled[1]);
        QCOMPARE(settled[0]->companion.charge.amount.toString(), u"0.0500"_s);
        QCOMPARE(picture(1), before);
        QCOMPARE(picture(3), others);
        if (oddity == u"given up"_s || oddity == u"settled before"_s || oddity == u"nothing to charge"_s)
            verifyBooks();
    }

    void texts_from_outside_are_kept_as_they_came_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("quotes") << u"She said \"no\", it's {a,b} \\ and \\\" NULL"_s;
        QTest::newRow("empty-like") << u"NULL"_s;
        QTest::newRow("lines") << u"one\ntwo\r\n\tthree"_s;
        QTest::newRow("beyond the plane") << u"😀 مرحبا 日本語"_s;
        QTest::newRow("a million characters") << QString(1'000'000, u'x');
    }
    void texts_from_outside_are_kept_as_they_came()
    {
        QFETCH(QString, text);
        const auto turns = begunTogether({orderOf(0, u"Hello"_s), orderOf(1, text.left(2000)), orderOf(2, u"Hello"_s)});
        std::vector<EndedTurn> ended;
        for (const Turn &turn : turns)
            ended.push_back({turn, completion(500)});
        ended[1].completion.text = text;
        for (const auto &outcome : chat().settleTogether(m_db->operators(), ended))
            QVERIFY(outcome);
        QCOMPARE(contents(1), (QStringList{text.left(2000), text}));
        QCOMPARE(contents(2), (QStringList{u"Hello"_s, u"A reply."_s}));
        verifyBooks();
    }

    // What PostgreSQL cannot keep fails alone.
    void one_that_fails_harms_no_other()
    {
        const auto turns = begunTogether({orderOf(0, u"Hello"_s), orderOf(1, u"Hello"_s)});
        db::Workers workers(m_db->operatorTarget(), m_db->clock(), {.name = u"turns"_s, .threads = 1});
        TurnLane lane(chat(), workers);
        Listener listener;
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"each goes alone"_s));
        // the first keeps the lane busy, the next two go together
        lane.settle(&listener, {turns[0], completion(500)}, &Listener::settled);
        auto poison = completion(500);
        poison.text = QString(QChar(u'\0'));
        lane.settle(&listener, {turns[1], poison}, &Listener::settled);
        lane.settle(&listener, {turns[0], completion(500)}, &Listener::settled);
        QTRY_COMPARE(listener.answers.size(), 3);
        QVERIFY(listener.answers[0] && *listener.answers[0]);
        QVERIFY(listener.answers[1] && !*listener.answers[1]); // to be done alone
        QVERIFY(listener.answers[2] && !*listener.answers[2]);
        verifyBooks();
    }

private:
    class Listener : public QObject
    {
    public:
        void settled(Result<std::optional<Outcome>> outcome) { answers.append(std::move(outcome)); }
        QList<Result<std::optional<Outcome>>> answers;
    };

    TurnOrder orderOf(int person, const QString &text, const QString &key = {})
    {
        m_user = m_people[person].user;
        m_session = m_people[person].session;
        return order(text, 512, key);
    }
    std::vector<Turn> begunTogether(const std::vector<TurnOrder> &orders)
    {
        std::vector<Turn> turns;
        for (const auto &admission : chat().beginTogether(m_db->operators(), orders)) {
            ensure(admission.has_value(), "begun together");
            turns.push_back(std::get<Turn>(*admission));
        }
        return turns;
    }
    void change(const QString &update)
    {
        const QString column = update.startsWith(u"UPDATE users"_s) ? u"id"_s : u"user_id"_s;
        m_db->owner().script(update + u" WHERE %1 = '%2'"_s.arg(column, m_people[1].user.toString()));
    }

    // Everything that is kept of a person's turns and money, without what is made by chance.
    QString picture(int person)
    {
        QStringList parts;
        for (
            const char *query :
            {"SELECT status, mode, route, idempotency_key, model, prompt_tokens, completion_tokens, total_tokens, "
             "provider_cost, reply, deadline, created_at, ended_at, answer #- '{companion,message_id}' #- "
             "'{companion,session_id}' AS answer FROM chat_turns WHERE user_id = '%1' ORDER BY created_at",
             "SELECT role, mode, content, created_at, cost, tokens, finish_reason FROM chat_messages WHERE user_id = "
             "'%1' ORDER BY created_at",
             "SELECT message_count, total_cost, last_message_at, last_disclosure_at, running_turn IS NULL, "
             "running_until "
             "FROM chat_sessions WHERE user_id = '%1'",
             "SELECT daily_free, purchased, bonus, held, debt, refreshed_on, due_at, last_at, sequence FROM "
             "user_wallet "
             "WHERE user_id = '%1'",
             "SELECT bucket, original, remaining, reserved, expires_at FROM wallet_lots WHERE user_id = '%1' ORDER BY "
             "sequence",
             "SELECT amount, expires_at, state, created_at, closed_at, transaction_id IS NULL, charged_daily_free, "
             "charged_purchased, charged_bonus, after_daily_free, after_purchased, after_bonus, after_held FROM holds "
             "WHERE user_id = '%1' ORDER BY created_at",
             "SELECT position, bucket, amount FROM hold_lots WHERE user_id = '%1' ORDER BY amount, position",
             "SELECT operation, created_at, after_daily_free, after_purchased, after_bonus, after_held FROM operations "
             "WHERE user_id = '%1' ORDER BY created_at",
             "SELECT sequence, kind, amount, daily_free, purchased, bonus, after_daily_free, after_purchased, "
             "after_bonus, description, metadata - 'message_id' - 'session_id', hold_id IS NULL, created_at FROM "
             "transaction_history WHERE user_id = '%1' ORDER BY sequence",
             "SELECT position, account, lot_id IS NULL, amount, created_at FROM ledger_legs WHERE user_id = '%1' ORDER "
             "BY created_at, position"})
            parts.append(m_db->owner()
                             .script(u"SELECT coalesce(string_agg(q::text, E'\n'), '') AS text FROM (%1) q"_s.arg(
                                 QString::fromLatin1(query).arg(m_people[person].user.toString())))
                             .first()
                             .text("text"));
        return parts.join(u"\n--\n"_s);
    }
    void compareAll()
    {
        for (int person = 1; person < 6; ++person)
            QCOMPARE(picture(person), picture(0));
    }

    QString running()
    {
        QStringList people;
        for (const auto &row : m_db->owner().script(u"SELECT user_id FROM chat_turns WHERE status = 'running'"_s))
            for (qsizetype i = 0; i < m_people.size(); ++i)
                if (m_people[i].user == row.id<UserId>("user_id"))
                    people.append(QString::number(i));
        people.sort();
        return people.join(u' ');
    }
    QStringList contents(int person)
    {
        QStringList texts;
        for (const auto &row :
             m_db->owner().script(u"SELECT content FROM chat_messages WHERE user_id = '%1' ORDER BY created_at"_s.arg(
                 m_people[person].user.toString())))
            texts.append(row.text("content"));
        return texts;
    }

    QList<Person> m_people;
};

QTEST_GUILESS_MAIN(TurnsTogetherTest)
#include "tst_TurnsTogether.moc"
