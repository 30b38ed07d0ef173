#include "BooksFixture.h"
#include "payments/PaymentDesk.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

// A provider whose look-ups are answered by the test.
class ToldProvider final : public PaymentProvider
{
public:
    Result<ProviderEvent> answer = ProviderEvent();
    int asked = 0;

    Provider kind() const override { return Provider::Google; }
    Abilities abilities() const override { return {}; }
    void verifyWebhook(const Webhook &, const QDateTime &, const Then<ProviderEvent> &then) override { then(answer); }
    void complete(const ProviderEvent &, const Then<ProviderEvent> &then) override
    {
        ++asked;
        then(answer);
    }
    void listPayments(const QDateTime &, const QDateTime &, const Then<FactList> &then) override { then(FactList()); }
    void fetchSubscription(const QString &, const Then<FactList> &then) override { then(FactList()); }
};

} // namespace

class PaymentDeskTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // A webhook that only says what to ask about is not lost because the answer could not be had for a while.
    void a_look_up_is_repeated_until_there_is_a_verdict_data()
    {
        QTest::addColumn<ErrorCode>("refusal");
        QTest::addColumn<bool>("repeated");
        QTest::newRow("the provider failed") << ErrorCode::ProviderFailed << true;
        QTest::newRow("too much was going on") << ErrorCode::Overloaded << true;
        QTest::newRow("the database was away") << ErrorCode::NotReady << true;
        QTest::newRow("we were ending") << ErrorCode::ShuttingDown << true;
        QTest::newRow("there is no such purchase") << ErrorCode::NotFound << false;
        QTest::newRow("it is no purchase of ours") << ErrorCode::Invalid << false;
    }
    void a_look_up_is_repeated_until_there_is_a_verdict()
    {
        QFETCH(ErrorCode, refusal);
        QFETCH(bool, repeated);
        BooksFixture f;
        Checkouts checkouts(f.subscriptions);
        PaymentDesk desk({f.db.operatorWorkers(), f.books, checkouts, f.db.clock()});
        ToldProvider provider;
        desk.add(provider);
        ProviderEvent event = f.event(FactList{});
        event.lookUp = QJsonObject{{u"token"_s, u"t"_s}};
        QVERIFY(f.books.keep(f.db.operators(), Provider::Google, event, {}));

        provider.answer = refuse(refusal, u"not now"_s);
        f.db.clock().advance(61s);
        desk.catchUp();
        QTRY_COMPARE(provider.asked, 1);
        QTRY_COMPARE(f.db.operatorWorkers().load().running + f.db.operatorWorkers().load().queued, 0);
        provider.answer = ProviderEvent{.id = event.id, .type = event.type, .facts = {{}, {f.paid(u"gp_1"_s)}, {}}};
        f.db.clock().advance(1h);
        desk.catchUp();
        if (repeated) {
            QTRY_COMPARE(f.wallet(), u"100 10 0"_s);
            QCOMPARE(provider.asked, 2);
        } else {
            QTest::qWait(200);
            QCOMPARE(provider.asked, 1);
        }
    }
};

QTEST_GUILESS_MAIN(PaymentDeskTest)
#include "tst_PaymentDesk.moc"
