#include "llm/LanguageModel.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace companion::llm;

class TokenEstimateTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // The counts are o200k's; the test llm/TokenEstimate checks them and measures more.
    void rarely_counts_fewer_tokens_than_o200k_and_not_many_more()
    {
        QFile file(QFINDTESTDATA("token_samples.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject kinds = QJsonDocument::fromJson(file.readAll()).object();
        QVERIFY(kinds.size() >= 7);
        for (auto kind = kinds.begin(); kind != kinds.end(); ++kind) {
            int ours = 0;
            int theirs = 0;
            int under = 0;
            const QJsonArray samples = kind.value().toArray();
            for (const QJsonValue &sample : samples) {
                const int estimate = estimateTokens(QStringView(sample[1].toString()));
                ours += estimate;
                theirs += sample[0].toInt();
                under += estimate < sample[0].toInt();
            }
            QVERIFY2(under * 20 <= samples.size(), qPrintable(kind.key()));
            QVERIFY2(ours >= theirs && ours * 100 <= theirs * 135, qPrintable(kind.key()));
        }
    }

    void counts_the_overhead_of_messages()
    {
        const QString text = QStringLiteral("Hello there");
        const int one = estimateTokens(QStringView(text));
        QCOMPARE(estimateTokens(QList<ChatMessage>()), 3);
        QCOMPARE(estimateTokens({{ChatMessage::Role::User, text}, {ChatMessage::Role::Assistant, text}}),
                 3 + 2 * (4 + one));
        QCOMPARE(estimateTokens(QStringView()), 0);
    }

    void lone_surrogates_and_odd_characters_count_for_something()
    {
        for (const char16_t c : {u'\xd83d', u'\xde00', u'\u200b', u'\u0300', u'\u0660', u'\x1', u'\xffff'})
            QVERIFY(estimateTokens(QStringView(&c, 1)) >= 1);
        QVERIFY(estimateTokens(QStringView(u"\U0001D7D8")) >= 1); // a digit beyond the basic plane
    }

    void takes_time_in_proportion()
    {
        const QString message = QStringLiteral("the quick brown fox, 12345 (jumps) über alles 😀 ").repeated(20'000);
        QElapsedTimer timer;
        timer.start();
        QVERIFY(estimateTokens(QStringView(message)) > 200'000);
        QVERIFY2(timer.elapsed() < 1500, qPrintable(QString::number(timer.elapsed())));
    }
};

QTEST_APPLESS_MAIN(TokenEstimateTest)
#include "tst_TokenEstimate.moc"
