#include "BooksFixture.h"
#include "db/DatabaseError.h"
#include "payments/WebhookLane.h"

#include <QRegularExpression>
#include <QTest>
#include <random>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// Webhooks taken together leave what each would have left alone; and what is not the plain case is left to the single
// way, with nothing written.
class TakeTogetherTest : public QObject
{
    Q_OBJECT
    std::unique_ptr<BooksFixture> m_f;

private Q_SLOTS:
    void init()
    {
        m_f = std::make_unique<BooksFixture>();
        m_f->db.owner().script(u"UPDATE users SET display_name = 'user 0'"_s);
        openWallets();
    }
    void cleanup()
    {
        if (m_f)
            QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void together_and_alone_leave_the_same_rows()
    {
        const auto together = std::move(m_f);
        m_f = std::make_unique<BooksFixture>();
        const auto alone = std::move(m_f);
        alone->db.clock().set(together->now());
        alone->db.owner().script(u"DELETE FROM users"_s);
        QStringList people;
        for (int i = 0; i < 9; ++i)
            people.append(UserId::create().toString());
        together->db.owner().script(u"DELETE FROM user_wallet; DELETE FROM users"_s);
        const auto pending = PaymentId::create();
        const auto dear = PaymentId::create();
        for (const auto &f : {together.get(), alone.get()}) {
            addPeople(*f, people);
            addBegun(*f, pending, people[1], 899);
            addBegun(*f, dear, people[2], 500);
        }
        std::vector<Delivery> deliveries = sales(*together, people, pending, dear);
        together->db.clock().advance(1234ms); // not the moment of the wallets' making
        alone->db.clock().advance(1234ms);
        const auto answers = together->books.takeTogether(together->db.operators(), deliveries);
        for (size_t i = 0; i < deliveries.size(); ++i) {
            const Delivery &one = deliveries[i];
            const Taken taken = alone->books.take(alone->db.operators(), one.provider, one.event, one.raw);
            QVERIFY2(answers[i].has_value(), qPrintable(one.event.id));
            QCOMPARE(int(answers[i]->what), int(taken.what));
            QCOMPARE(answers[i]->granted.size(), taken.granted.size());
            for (qsizetype g = 0; g < taken.granted.size(); ++g) {
                QCOMPARE(answers[i]->granted[g].references, taken.granted[g].references);
                QCOMPARE(answers[i]->granted[g].product, taken.granted[g].product);
                QCOMPARE(int(answers[i]->granted[g].kind), int(taken.granted[g].kind));
                QCOMPARE(int(answers[i]->granted[g].provider), int(taken.granted[g].provider));
            }
        }
        compareLines(rowsOf(*together), rowsOf(*alone));
        QCOMPARE(together->audit(), QStringList());
        alone->events = together->events;
        // What comes later finds what it needs.
        for (const auto &f : {together.get(), alone.get()}) {
            f->tell(f->refunded(u"pi_1"_s, 300, 20));
            f->tell(f->disputed(u"pi_2"_s, DisputeState::Open, 21));
            f->db.clock().advance(91 * 24h);
            f->ledger.sweepLots(f->db.operators(), 100);
        }
        compareLines(rowsOf(*together), rowsOf(*alone));
        QCOMPARE(together->audit(), QStringList());
    }

    void a_grant_repeated_by_the_single_way_is_known()
    {
        QVERIFY(plain({m_f->event(m_f->paid(u"pi_1"_s))}));
        const auto row = m_f->db.owner().script(u"SELECT * FROM payment_transactions"_s).first();
        const auto again =
            m_f->ledger.grant(m_f->db.operators(),
                              {.user = m_f->user,
                               .key = QString(u"payment:"_s + row.text("id")),
                               .amount = row.credits("credits"),
                               .kind = TransactionKind::Purchase,
                               .description = u"popular"_s,
                               .metadata = {{u"payment_id"_s, row.text("id")}, {u"product"_s, u"popular"_s}}});
        QVERIFY(again);
        QCOMPARE(again->id.toString(), row.text("purchase_entry"));
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void what_is_not_plain_is_left_alone_and_nothing_is_written()
    {
        m_f->tell(m_f->paid(u"pi_paid"_s));
        const PaymentId asked = PaymentId::create();
        addBegun(*m_f, asked, m_f->user.toString(), 899);
        const PaymentId also = PaymentId::create();
        addBegun(*m_f, also, m_f->user.toString(), 899);
        m_f->db.owner().script(
            u"INSERT INTO payment_references VALUES ('sandbox', 'pi_also', '%1', '%2')"_s.arg(also.toString(),
                                                                                              m_f->user.toString()));
        const UserId full = person(
            u"SELECT count((ledger_grant('%1', 'k' || n, 'purchased', 1000000000, 'purchase', NULL, '', '{}',"
            " '%2')).code) FROM generate_series(1, 1000) n"_s.arg(u"%1"_s, m_f->now().toString(Qt::ISODateWithMs)));
        const UserId owing = person(u"UPDATE user_wallet SET debt = 1 WHERE user_id = '%1'"_s);
        const UserId due = person(u"UPDATE user_wallet SET due_at = '2000-01-01' WHERE user_id = '%1'"_s);
        const UserId newcomer = m_f->addUser(); // without a wallet
        const auto of = [this](const UserId &user, PaymentFact fact) {
            fact.user = user;
            return m_f->event(fact);
        };
        const auto with = [this](auto change) {
            PaymentFact fact = m_f->paid(u"pi_9"_s);
            change(fact);
            return m_f->event(fact);
        };
        const QString before = rowsOf(*m_f);
        const std::vector<std::pair<const char *, ProviderEvent>> cases{
            {"a wallet in debt", of(owing, m_f->paid(u"pi_1"_s))},
            {"a wallet in which something is due", of(due, m_f->paid(u"pi_1"_s))},
            {"a full wallet", of(full, m_f->paid(u"pi_1"_s))},
            {"no wallet", of(newcomer, m_f->paid(u"pi_1"_s))},
            {"no user", of(UserId::create(), m_f->paid(u"pi_1"_s))},
            {"paid already", with([](auto &f) { f.references = {u"pi_paid"_s}; })},
            {"another's payment", with([&](auto &f) {
                 f.payment = asked;
                 f.user = newcomer;
             })},
            {"two payments of ours", with([&](auto &f) {
                 f.payment = asked;
                 f.references = {u"pi_paid"_s};
             })},
            {"two pending ones", with([&](auto &f) {
                 f.payment = asked;
                 f.references = {u"pi_also"_s};
             })},
            {"too little", with([&](auto &f) {
                 f.payment = asked;
                 f.amountMinor = 898;
             })},
            {"another currency", with([&](auto &f) {
                 f.payment = asked;
                 f.currency = u"EUR"_s;
             })},
            {"an unknown product", with([](auto &f) { f.product = u"nothing"_s; })},
            {"a period", with([](auto &f) {
                 f.kind = PaidFor::Period;
                 f.product = u"premium"_s;
             })},
            {"of a subscription", with([](auto &f) { f.subscription = u"sub"_s; })},
            {"failed", with([](auto &f) { f.state = PaymentFact::State::Failed; })},
            {"refunded already", with([](auto &f) { f.refundedMinor = 1; })},
            {"a refund alone", m_f->event(m_f->refunded(u"pi_paid"_s, 899, 3))},
            {"a dispute", m_f->event(m_f->disputed(u"pi_paid"_s, DisputeState::Open, 3))},
            {"a subscription",
             m_f->event(m_f->subscribed(u"s"_s, Tier::Vip, SubscriptionStatus::Active, 1, m_f->now(),
                                        m_f->now().addDays(30)))},
            {"two sales", m_f->event(FactList{{}, {m_f->paid(u"pi_7"_s), m_f->paid(u"pi_8"_s)}, {}})},
            {"a sale and a dispute",
             m_f->event(FactList{{}, {m_f->paid(u"pi_7"_s)}, {m_f->disputed(u"pi_7"_s, DisputeState::Open, 3)}})},
            {"no reference", with([](auto &f) { f.references.clear(); })},
        };
        for (const auto &[name, event] : cases) {
            const auto answer = together({event}).front();
            QVERIFY2(!answer, name);
        }
        QCOMPARE(rowsOf(*m_f), before);
        m_f->db.owner().script(u"UPDATE user_wallet SET debt = 0"_s); // it was none: the audit would say so
    }

    void a_disputed_payment_that_is_pending_is_left_alone()
    {
        const PaymentId asked = PaymentId::create();
        addBegun(*m_f, asked, m_f->user.toString(), 899);
        m_f->db.owner().script(
            u"INSERT INTO payment_references VALUES ('sandbox', 'pi_1', '%1', '%2')"_s.arg(asked.toString(),
                                                                                           m_f->user.toString()));
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Open, 3));
        QVERIFY(!together({m_f->event(m_f->paid(u"pi_1"_s))}).front());
    }

    void what_somebody_else_has_locked_is_not_waited_for()
    {
        db::Session other(m_f->db.operatorTarget(), m_f->db.clock());
        const QStringList locks{u"SELECT pg_advisory_xact_lock(hashtextextended('payments sandbox payment pi_1', 0))"_s,
                                u"SELECT pg_advisory_xact_lock(hashtextextended('payments sandbox event evt_9', 0))"_s,
                                u"SELECT 1 FROM users WHERE id = '%1' FOR UPDATE"_s.arg(m_f->user.toString()),
                                u"SELECT 1 FROM user_wallet WHERE user_id = '%1' FOR UPDATE"_s.arg(
                                    m_f->user.toString())};
        for (const QString &lock : locks) {
            db::Transaction holding(other);
            other.script(lock);
            auto event = m_f->event(m_f->paid(u"pi_1"_s));
            event.id = u"evt_9"_s;
            m_f->db.operators().script(u"SET lock_timeout = '2s'"_s);
            QVERIFY2(!together({event}).front(), qPrintable(lock));
        }
        QVERIFY(plain({m_f->event(m_f->paid(u"pi_1"_s))}));
    }

    void a_payment_that_somebody_else_has_locked_is_not_waited_for()
    {
        const PaymentId asked = PaymentId::create();
        addBegun(*m_f, asked, m_f->user.toString(), 899);
        auto fact = m_f->paid(u"pi_1"_s);
        fact.payment = asked;
        db::Session other(m_f->db.operatorTarget(), m_f->db.clock());
        {
            db::Transaction holding(other);
            other.script(u"SELECT 1 FROM payment_transactions FOR UPDATE"_s);
            m_f->db.operators().script(u"SET lock_timeout = '2s'"_s);
            QVERIFY(!together({m_f->event(fact)}).front());
        }
        QVERIFY(plain({m_f->event(fact)}));
        QCOMPARE(m_f->status(u"pi_1"_s), u"paid"_s);
    }

    void of_one_user_or_one_event_the_first_of_a_batch_counts()
    {
        const auto one = m_f->event(m_f->paid(u"pi_1"_s));
        const auto answers = together({one, m_f->event(m_f->paid(u"pi_2"_s)), one});
        QVERIFY(answers[0] && answers[0]->what == Taken::What::Applied);
        QVERIFY(!answers[1]);
        QVERIFY(!answers[2]);
        QVERIFY(together({one}).front()->what == Taken::What::Duplicate);
        const auto again = together({one, one}); // the second would count an event twice in one statement
        QVERIFY(again[0]->what == Taken::What::Duplicate);
        QVERIFY(!again[1]);
        QCOMPARE(m_f->text(u"SELECT deliveries::text AS text FROM payment_events"_s), u"3"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void what_nobody_needs_is_kept_and_done_with()
    {
        const auto event = m_f->event(FactList{});
        QVERIFY(together({event}).front()->what == Taken::What::Applied);
        QVERIFY(together({event}).front()->what == Taken::What::Duplicate);
        QCOMPARE(m_f->text(
                     u"SELECT concat_ws(' ', status, deliveries, octet_length(body)) AS text FROM payment_events"_s),
                 u"processed 2 5"_s);
    }

    void an_event_that_waits_or_failed_is_left_to_the_single_way()
    {
        auto event = m_f->event(m_f->refunded(u"pi_1"_s, 100, 1));
        QVERIFY(m_f->books.take(m_f->db.operators(), Provider::Sandbox, event, {}).what == Taken::What::Waiting);
        event.facts = FactList{{}, {m_f->paid(u"pi_5"_s)}, {}};
        QVERIFY(!together({event}).front());
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        m_f->db.owner().script(u"DELETE FROM payment_events"_s);
    }

    void what_waited_for_a_sale_follows_it()
    {
        QVERIFY(m_f->tell(m_f->refunded(u"pi_1"_s, 899, 2)).what == Taken::What::Waiting);
        QVERIFY(plain({m_f->event(m_f->paid(u"pi_1"_s))}));
        QCOMPARE(m_f->status(u"pi_1"_s), u"refunded"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
    }

    // One that breaks a rule of the tables undoes the act for all; then each goes alone, and only it fails.
    void one_that_cannot_be_written_harms_no_other()
    {
        const UserId second = m_f->addUser();
        openWallets();
        auto broken = m_f->paid(u"pi_2"_s);
        broken.user = second;
        broken.currency = u"dollars"_s;
        db::Workers workers(m_f->db.operatorTarget(), m_f->db.clock(), {.name = u"lane"_s, .threads = 2});
        WebhookLane lane(m_f->books, workers);
        int empty = 0;
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"each goes alone"_s));
        for (int i = 0; i < 2; ++i)
            lane.take(this, {Provider::Sandbox, i == 0 ? m_f->event(broken) : m_f->event(m_f->paid(u"pi_1"_s)), {}},
                      [&](const Result<std::optional<Taken>> &answer) { empty += answer && !*answer ? 1 : 10; });
        QTRY_VERIFY_WITH_TIMEOUT(empty == 2 || empty == 11, 10'000); // one act for both, or one for each
    }

    // Batches of any make-up beside single ones about the same things: nobody waits in a circle, and it ends as in
    // order.
    void batches_and_single_ones_at_once_end_as_one_delivery_in_order()
    {
        std::vector<ProviderEvent> story = makeStory();
        for (const auto &event : story)
            m_f->books.take(m_f->db.operators(), Provider::Sandbox, event, {.body = event.id.toUtf8(), .headers = {}});
        const QString inOrder = m_f->everything();
        m_f = std::make_unique<BooksFixture>();
        m_f->db.owner().script(u"DELETE FROM users"_s);
        addPeople(*m_f, m_people);
        std::mt19937 random(11);
        std::vector<ProviderEvent> mixed;
        for (const auto &event : story)
            for (unsigned copies = 1 + random() % 4; copies > 0; --copies)
                mixed.push_back(event);
        std::ranges::shuffle(mixed, random);
        QStringList wrong;
        qsizetype answered = 0;
        qsizetype together = 0;
        db::Workers workers(m_f->db.operatorTarget(), m_f->db.clock(), {.name = u"senders"_s, .threads = 6});
        for (size_t next = 0; next < mixed.size();) {
            const size_t count = std::min<size_t>(mixed.size() - next, 1 + random() % 9);
            std::vector<Delivery> batch;
            for (size_t i = next; i < next + count; ++i)
                batch.push_back({Provider::Sandbox, mixed[i], {.body = mixed[i].id.toUtf8(), .headers = {}}});
            next += count;
            workers.act(
                this,
                [this, batch](db::Session &db) {
                    const auto answers = m_f->books.takeTogether(db, batch);
                    for (size_t i = 0; i < batch.size(); ++i)
                        if (!answers[i])
                            m_f->books.take(db, Provider::Sandbox, batch[i].event, batch[i].raw);
                    return std::ranges::count_if(answers, [](const auto &answer) { return answer.has_value(); });
                },
                [&, count](const Result<qsizetype> &plain) {
                    answered += qsizetype(count);
                    together += plain.value_or(0);
                    if (!plain)
                        wrong.append(plain.error().log);
                });
        }
        QTRY_COMPARE_WITH_TIMEOUT(answered, qsizetype(mixed.size()), 120'000);
        QCOMPARE(wrong, QStringList());
        QCOMPARE(m_f->everything(), inOrder);
        QVERIFY2(together >= 20, qPrintable(QString::number(together)));
        QCOMPARE(m_f->text(u"SELECT sum(deliveries)::text AS text FROM payment_events"_s),
                 QString::number(mixed.size()));
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s), u"processed"_s);
    }

    void only_operators_may()
    {
        const std::vector<Delivery> deliveries{{Provider::Sandbox, m_f->event(m_f->paid(u"pi_1"_s)), {}}};
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_f->books.takeTogether(m_f->db.app(), deliveries));
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
    }

private:
    std::vector<std::optional<Taken>> together(const std::vector<ProviderEvent> &events)
    {
        std::vector<Delivery> deliveries;
        for (const auto &event : events)
            deliveries.push_back({Provider::Sandbox, event, {.body = event.id.toUtf8(), .headers = {}}});
        return m_f->books.takeTogether(m_f->db.operators(), deliveries);
    }
    bool plain(const std::vector<ProviderEvent> &events)
    {
        return std::ranges::all_of(together(events),
                                   [](const auto &taken) { return taken && taken->what == Taken::What::Applied; });
    }
    void openWallets() { openWallets(*m_f); }
    static void openWallets(BooksFixture &f)
    {
        for (const auto &row : f.db.owner().script(u"SELECT id FROM users"_s))
            (void)f.ledger.refresh(f.db.operators(), row.id<UserId>("id"), Credits());
    }
    UserId person(const QString &change)
    {
        const UserId id = m_f->addUser();
        openWallets();
        m_f->db.owner().script(change.arg(id.toString()));
        return id;
    }
    static void addPeople(BooksFixture &f, const QStringList &people)
    {
        for (int i = 0; i < people.size(); ++i)
            f.db.owner().script(
                u"INSERT INTO users (id, display_name, created_at) VALUES ('%1', 'user %2', '2026-01-01')"_s
                    .arg(people[i])
                    .arg(i));
        openWallets(f);
        f.user = *UserId::parse(people[0]);
    }
    static void addBegun(BooksFixture &f, const PaymentId &id, const QString &user, int price_minor)
    {
        f.db.owner().script(
            u"INSERT INTO payment_transactions (id, user_id, provider, kind, product, amount_minor, currency, status,"
            " created_at, credits, bonus_credits, bonus_days, fee_minor, failure) VALUES ('%1', '%2', 'sandbox', "
            "'credits',"
            " 'popular', %3, 'USD', 'failed', '2026-01-02', 100, 12.5, 30, 3, 'Declined')"_s.arg(id.toString(), user)
                .arg(price_minor));
    }
    // Every way of a plain sale.
    static std::vector<Delivery> sales(BooksFixture &f, const QStringList &people, const PaymentId &pending,
                                       const PaymentId &dear)
    {
        std::vector<Delivery> deliveries;
        const auto add = [&](int person, Provider provider, PaymentFact fact) {
            fact.user = *UserId::parse(people[person]);
            const auto event = f.event(fact);
            deliveries.push_back({provider,
                                  event,
                                  {.body = QByteArray("body \0 of ", 10) + event.id.toUtf8(),
                                   .headers = {{"stripe-signature", "t=1,v1=\xe4"}}}});
        };
        add(0, Provider::Sandbox, f.paid(u"pi_0"_s, u"starter"_s, 99)); // no bonus
        auto begun = f.paid(u"pi_1"_s);
        begun.payment = pending;
        begun.references << u"ch_1"_s << u"ch_1"_s;
        add(1, Provider::Sandbox, begun);
        auto dearer = f.paid(u"pi_2"_s, {}, 899); // more than was asked, tax and fee
        dearer.payment = dear;
        dearer.taxMinor = 143;
        dearer.feeMinor = 45;
        dearer.refundedMinor = 0;
        dearer.version = 7;
        add(2, Provider::Sandbox, dearer);
        auto store = f.paid(u"1000"_s, u"whale"_s, 1); // a store's own price
        store.currency = u"JPY"_s;
        store.refundedMinor = 0;
        store.version = 1'700'000'000'000;
        store.at = f.now().addDays(-3);
        add(3, Provider::Apple, store);
        auto gift = f.paid(u"GPA.1"_s, u"popular"_s, 0);
        gift.version = -5;
        add(4, Provider::Google, gift);
        add(5, Provider::Stripe, f.paid(u"cs_1"_s, u"best_value"_s, 3999));
        add(6, Provider::Sandbox, f.paid(u"cs_1"_s)); // the same name at another provider
        deliveries.push_back({Provider::Sandbox, f.event(FactList{}), {.body = "{}", .headers = {}}});
        return deliveries;
    }
    std::vector<ProviderEvent> makeStory()
    {
        m_people.clear();
        m_f->db.owner().script(u"DELETE FROM user_wallet; DELETE FROM users"_s);
        for (int i = 0; i < 6; ++i)
            m_people.append(UserId::create().toString());
        addPeople(*m_f, m_people);
        std::vector<ProviderEvent> story;
        for (int round = 0; round < 4; ++round)
            for (int i = 0; i < m_people.size(); ++i) {
                m_f->user = *UserId::parse(m_people[i]);
                const QString name = u"pi_%1_%2"_s.arg(round).arg(i);
                story.push_back(m_f->event(m_f->paid(name)));
                if (i % 3 == 1)
                    story.push_back(m_f->event(m_f->refunded(name, 200 + 100 * round, 10)));
                if (i == 2)
                    story.push_back(
                        m_f->event(m_f->disputed(name, round % 2 ? DisputeState::Won : DisputeState::Lost, 9)));
            }
        return story;
    }
    // Every row of money, without what chance decides: ids, and the digests over them.
    static QString rowsOf(BooksFixture &f)
    {
        QStringList all;
        for (const char *table :
             {"users", "user_wallet", "wallet_lots", "transaction_history", "ledger_legs", "operations",
              "payment_transactions", "payment_references", "payment_events", "money_entries", "lot_rails"}) {
            const auto rows = f.db.owner().script(
                u"SELECT regexp_replace((to_jsonb(t) - ARRAY['hash', 'prev_hash', 'head_hash', 'text_salt', "
                u"'text_digest',"
                " 'parts_digest'] - CASE WHEN '%1' = 'operations' THEN 'fingerprint' ELSE '' END - CASE WHEN '%1' ="
                " 'money_entries' THEN 'id' ELSE '' END)::text,"
                " '[0-9a-f]{8}-[0-9a-f-]{27}', '#', 'g') AS line FROM %1 t ORDER BY 1"_s.arg(QLatin1StringView(table)));
            for (const auto &row : rows)
                all.append(QString(QString::fromLatin1(table) + u": "_s + row.text("line")));
        }
        return all.join(u'\n');
    }
    static void compareLines(const QString &ours, const QString &theirs)
    {
        const QStringList a = ours.split(u'\n');
        const QStringList b = theirs.split(u'\n');
        for (qsizetype i = 0; i < std::min(a.size(), b.size()); ++i)
            QCOMPARE(a[i], b[i]);
        QCOMPARE(a.size(), b.size());
    }
    QStringList m_people;
};

QTEST_GUILESS_MAIN(TakeTogetherTest)
#include "tst_TakeTogether.moc"
