#include "fakes/FakeApple.h"
#include "payments/apple/AppleObjects.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion::payments;
using namespace companion::test;

// What of the App Store's is believed. The same cases are given to the vendor's library (apple_library.cjs).
class AppleSignaturesTest : public QObject
{
    Q_OBJECT
    FakeApple m_apple{[] { return QDateTime::currentDateTimeUtc(); }};

    template <class T>
    static QString whyNot(const std::expected<T, QString> &read)
    {
        return read ? QString() : read.error();
    }

private Q_SLOTS:
    void every_deviation_is_refused_and_what_is_right_is_not_data()
    {
        QTest::addColumn<AppleCase>("one");
        for (const AppleCase &one : appleCases(m_apple))
            QTest::newRow(qPrintable(one.name)) << one;
    }
    void every_deviation_is_refused_and_what_is_right_is_not()
    {
        QFETCH(AppleCase, one);
        const AppleVerifier verifier(AppleSignatures::withRoots(m_apple.rootPem()).value(),
                                     {m_apple.bundleId, m_apple.appId, AppleEnvironment::Production});
        const QString why = one.kind == "notification"_L1 ? whyNot(verifier.notification(one.jws))
            : one.kind == "transaction"_L1                ? whyNot(verifier.transaction(one.jws))
                                                          : whyNot(verifier.renewal(one.jws));
        QCOMPARE(why.isEmpty(), one.accepted);
        QVERIFY2(why.isEmpty() || why.contains(u"forged"_s) || why.contains(u"unreadable"_s)
                     || why.contains(u"of another"_s) || why.contains(u"two subscriptions"_s),
                 qPrintable(why));
    }

    void only_roots_are_taken_for_roots()
    {
        const AppleChain &chain = m_apple.chain();
        QVERIFY(AppleSignatures::withRoots(chain.root().der()));
        QVERIFY(AppleSignatures::withRoots(chain.root().pem() + AppleChain::makeRoot("Another").pem()));
        QVERIFY(!AppleSignatures::withRoots({}));
        QVERIFY(!AppleSignatures::withRoots("hello"));
        QVERIFY(!AppleSignatures::withRoots(chain.intermediate().pem()));
        QVERIFY(!AppleSignatures::withRoots(chain.root().pem() + chain.leaf().pem()));
    }
};

QTEST_GUILESS_MAIN(AppleSignaturesTest)
#include "tst_AppleSignatures.moc"
