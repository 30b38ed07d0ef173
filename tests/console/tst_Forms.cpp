#include "console/models/CharacterDraft.h"
#include "console/models/Place.h"
#include "console/models/WalletModels.h"
#include "tests/console/support/CannedModels.h"

#include <QJsonArray>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

// What is typed, and what becomes of it.
class FormsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void traits_survive_the_way_to_text_and_back_data()
    {
        QTest::addColumn<QJsonObject>("traits");
        QTest::newRow("number, text") << QJsonObject{{u"warmth"_s, 0.8}, {u"humour"_s, u"dry"_s}};
        QTest::newRow("text that looks like a number") << QJsonObject{{u"age"_s, u"31"_s}};
        QTest::newRow("true, null") << QJsonObject{{u"a"_s, true}, {u"b"_s, QJsonValue::Null}};
        QTest::newRow("text that looks like true") << QJsonObject{{u"a"_s, u"true"_s}};
        QTest::newRow("a list") << QJsonObject{{u"likes"_s, QJsonArray{u"sea"_s, 2}}};
        QTest::newRow("lines and quotes") << QJsonObject{{u"motto"_s, u"one\n\"two\""_s}};
        QTest::newRow("blanks around") << QJsonObject{{u"a"_s, u" b "_s}};
        QTest::newRow("empty text") << QJsonObject{{u"a"_s, QString()}};
        QTest::newRow("a comma") << QJsonObject{{u"a"_s, u"1, 2"_s}};
        QTest::newRow("a colon in the value") << QJsonObject{{u"a"_s, u"b: c"_s}};
    }
    void traits_survive_the_way_to_text_and_back()
    {
        QFETCH(QJsonObject, traits);
        const auto back = traits::fromText(traits::toText(traits));
        QVERIFY(back.has_value());
        QCOMPARE(*back, traits);
    }

    void a_trait_without_a_value_is_a_mistake()
    {
        QVERIFY(!traits::fromText(u"just words"_s));
        QVERIFY(!traits::fromText(u": value"_s));
        QVERIFY(traits::fromText(u"\n  \n"_s)->isEmpty());
    }

    void a_persona_comes_back_from_its_form_unchanged()
    {
        Persona persona = canned::character(u"aria"_s).persona;
        persona.tags = {u"calm"_s, u"old friend"_s};
        persona.priceMultiplier = *Factor::parse(u"1.25");
        const auto back = CharacterForm::of(persona).persona();
        QVERIFY(back.has_value());
        QCOMPARE(toJson(*back), toJson(persona));
    }

    void every_wrong_field_is_named_at_once()
    {
        CharacterForm form = CharacterForm::of(canned::character(u"aria"_s).persona);
        form.name.clear();
        form.priceMultiplier = u"-1"_s;
        form.traits = u"nonsense"_s;
        form.spicyPrompt = u"  "_s;
        const auto persona = form.persona();
        QVERIFY(!persona.has_value());
        for (const char *pointer : {"/name", "/price_multiplier", "/traits", "/spicy_prompt"})
            QVERIFY2(!persona.error().forField(QString::fromLatin1(pointer)).isEmpty(), pointer);
        QVERIFY(persona.error().forField(u"/tagline"_s).isEmpty());
    }

    void slugs_are_made_of_letters_digits_and_single_hyphens()
    {
        QCOMPARE(slugFor(u"Aria of the North"_s), u"aria-of-the-north"_s);
        QCOMPARE(slugFor(u"  Théo & Zoë!"_s), u"theo-zoe"_s);
        QCOMPARE(slugFor(u"…"_s), QString());
        QVERIFY(slugFor(QString(100, u'a')).size() <= 40);
    }

    void an_adjustment_shows_what_it_leaves()
    {
        const auto preview = previewAdjustment(canned::balance(), Bucket::Bonus, u"+12.5"_s, u"goodwill"_s);
        QVERIFY(preview.request.has_value());
        QCOMPARE(preview.bucketAfter.toString(), u"42.5000"_s);
        QCOMPARE(preview.totalAfter.toString(), u"330.9320"_s);
    }

    void an_adjustment_that_cannot_be_is_refused_with_the_reason_data()
    {
        QTest::addColumn<QString>("amount");
        QTest::addColumn<QString>("reason");
        QTest::addColumn<bool>("says");
        QTest::newRow("nothing typed yet") << QString() << u"goodwill"_s << false;
        QTest::newRow("no number") << u"ten"_s << u"goodwill"_s << true;
        QTest::newRow("five places") << u"1.00001"_s << u"goodwill"_s << true;
        QTest::newRow("zero") << u"0.0000"_s << u"goodwill"_s << true;
        QTest::newRow("more than is there") << u"-30.0001"_s << u"goodwill"_s << true;
        QTest::newRow("no reason") << u"5"_s << u" a "_s << false;
        QTest::newRow("past any sense") << u"900000000000000"_s << u"goodwill"_s << true;
    }
    void an_adjustment_that_cannot_be_is_refused_with_the_reason()
    {
        QFETCH(QString, amount);
        QFETCH(QString, reason);
        const auto preview = previewAdjustment(canned::balance(), Bucket::Bonus, amount, reason);
        QVERIFY(!preview.request.has_value());
        QTEST(!preview.problem.isEmpty(), "says");
    }

    void all_of_a_bucket_can_be_taken_and_a_pasted_minus_is_one()
    {
        const QString all = QChar(0x2212) + u"30"_s;
        const auto preview = previewAdjustment(canned::balance(), Bucket::Bonus, all, u"goodwill"_s);
        QVERIFY(preview.request.has_value());
        QVERIFY(preview.bucketAfter.isZero());
    }

    void held_credit_cannot_be_taken()
    {
        Balance balance = canned::balance();
        balance.available = *Credits::parse(u"10");
        QVERIFY(!previewAdjustment(balance, Bucket::Purchased, u"-10.0001"_s, u"chargeback"_s).request);
        QVERIFY(previewAdjustment(balance, Bucket::Purchased, u"-10"_s, u"chargeback"_s).request);
    }

    void a_place_is_a_page_and_what_is_open_on_it()
    {
        QCOMPARE(Place::parse(u"users/anna@example.com"_s), (Place{u"users"_s, u"anna@example.com"_s}));
        QCOMPARE(Place::parse(u"dashboard"_s).toString(), u"dashboard"_s);
    }
};

QTEST_GUILESS_MAIN(FormsTest)
#include "tst_Forms.moc"
