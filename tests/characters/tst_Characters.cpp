#include "characters/AvatarImage.h"
#include "characters/CharacterService.h"
#include "db/DatabaseError.h"
#include "identity/AccountStore.h"
#include "support/TestDatabase.h"

#include <QJsonDocument>
#include <QTest>
#include <thread>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::characters;

// Drafts, versions, what the public and chat see of them, and the samples; against a real database.
class TestCharacters : public QObject
{
    Q_OBJECT

    std::unique_ptr<test::TestDatabase> m_db;
    CharacterService m_service;
    const Author m_author{std::nullopt, u"Test"_s};

    db::Session &operators() { return m_db->operators(); }

    static Persona persona(const QString &name = u"Ada"_s)
    {
        Persona persona;
        persona.name = name;
        persona.tagline = u"Counts on it"_s;
        persona.tags = {u"maths"_s, u"dry humour"_s};
        persona.traits = {{u"age"_s, u"36"_s}, {u"temperament"_s, QJsonArray{u"exact"_s, u"kind"_s}}};
        persona.greeting = u"Hello."_s;
        persona.systemPrompt = u"SECRET normal prompt"_s;
        persona.spicyPrompt = u"SECRET spicy prompt"_s;
        persona.spicyEnabled = true;
        return persona;
    }
    template <class Act>
    auto inTransaction(Act act)
    {
        db::Transaction transaction(operators());
        auto result = act(operators());
        if (result)
            transaction.commit();
        return result;
    }
    EditedCharacter made(const QString &slug = u"ada"_s, const Persona &wanted = persona())
    {
        return inTransaction([&](db::Session &db) { return m_service.create(db, {slug, wanted}, m_author); })->after;
    }
    Result<CharacterChange> edited(const CharacterId &id, const Persona &wanted, std::optional<qint64> expected = {})
    {
        return inTransaction([&](db::Session &db) { return m_service.edit(db, id, expected, wanted, m_author); });
    }
    Result<CharacterChange> published(const CharacterId &id)
    {
        return inTransaction([&](db::Session &db) { return m_service.publish(db, id, std::nullopt); });
    }
    static ErrorCode refusal(const auto &result) { return result ? ErrorCode::Internal : result.error().code; }

    static QByteArray png(int width, int height)
    {
        QByteArray bytes = QByteArray::fromHex("89504e470d0a1a0a0000000d49484452");
        for (const int side : {width, height})
            for (int shift = 24; shift >= 0; shift -= 8)
                bytes.append(static_cast<char>(side >> shift));
        return bytes + QByteArray::fromHex("0806000000") + QByteArray(16, '\0');
    }

private Q_SLOTS:
    void init() { m_db = std::make_unique<test::TestDatabase>(); }

    void begins_as_a_draft_that_nobody_else_sees()
    {
        const auto ada = made();
        QCOMPARE(ada.character.status, CharacterStatus::Draft);
        QCOMPARE(ada.character.draftVersion, 1);
        QVERIFY(!ada.character.publishedVersion);
        QVERIFY(ada.character.hasUnpublishedChanges);
        QVERIFY(m_service.published(operators(), {}, {}).items.isEmpty());
        QCOMPARE(refusal(m_service.publishedOne(operators(), u"ada"_s)), ErrorCode::NotFound);
        QCOMPARE(refusal(m_service.current(operators(), u"ada"_s)), ErrorCode::NotFound);
        QCOMPARE(m_service.draft(operators(), ada.character.id)->persona.systemPrompt, u"SECRET normal prompt"_s);
    }

    void keeps_a_persona_as_it_came()
    {
        const auto ada = made();
        QCOMPARE(toJson(m_service.find(operators(), ada.character.id)->character.persona), toJson(persona()));
    }

    void publishing_seals_the_draft_and_starts_the_next()
    {
        const CharacterId id = made().character.id;
        const auto change = published(id);
        QVERIFY(change);
        QCOMPARE(change->after.character.status, CharacterStatus::Published);
        QCOMPARE(change->after.character.publishedVersion, std::optional(1));
        QCOMPARE(change->after.character.draftVersion, 2);
        QVERIFY(!change->after.character.hasUnpublishedChanges);
        QCOMPARE(refusal(published(id)), ErrorCode::Conflict); // nothing new to publish

        QVERIFY(edited(id, persona(u"Ada Two"_s)));
        QCOMPARE(m_service.publishedOne(operators(), u"ada"_s)->name, u"Ada"_s);
        QVERIFY(published(id));
        QCOMPARE(m_service.publishedOne(operators(), u"ada"_s)->name, u"Ada Two"_s);
        QCOMPARE(m_service.publishedOne(operators(), id.toString())->name, u"Ada Two"_s);
        const auto versions = m_service.versions(operators(), id, {});
        QCOMPARE(versions->total, std::optional<qint64>(3));
        QCOMPARE(versions->items[0].version, 3);
        QVERIFY(!versions->items[0].publishedAt);
        QVERIFY(versions->items[1].publishedAt.has_value());
    }

    void a_session_keeps_the_persona_of_its_version()
    {
        const CharacterId id = made().character.id;
        QVERIFY(published(id));
        QVERIFY(edited(id, persona(u"Ada Two"_s)));
        QVERIFY(published(id));
        QVERIFY(inTransaction([&](db::Session &db) { return m_service.archive(db, id, std::nullopt); }));
        db::Transaction transaction(m_db->app(), UserId::create());
        QCOMPARE(m_service.personaFor(m_db->app(), id, 1)->persona.name, u"Ada"_s);
        QCOMPARE(m_service.personaFor(m_db->app(), id, 2)->persona.name, u"Ada Two"_s);
        QCOMPARE(m_service.personaFor(m_db->app(), id, 2)->status, CharacterStatus::Archived);
        QCOMPARE(refusal(m_service.personaFor(m_db->app(), id, 3)), ErrorCode::NotFound); // the draft
        QCOMPARE(refusal(m_service.current(m_db->app(), u"ada"_s)), ErrorCode::NotFound);
    }

    void the_app_role_cannot_read_a_draft_by_any_statement()
    {
        const CharacterId id = made().character.id;
        QVERIFY(published(id));
        QVERIFY(edited(id, persona(u"Unseen"_s)));
        made(u"secret"_s);
        db::Transaction transaction(m_db->app(), UserId::create());
        QCOMPARE(m_db->app().script(u"SELECT * FROM character_versions"_s).size(), 1);
        QCOMPARE(m_db->app().script(u"SELECT * FROM character_config"_s).size(), 1);
    }

    void a_published_version_never_changes()
    {
        const CharacterId id = made().character.id;
        QVERIFY(published(id));
        const QString where = u" WHERE character_id = '%1' AND version = 1"_s.arg(id.toString());
        for (const QString statement : {u"UPDATE character_versions SET author = 'x'"_s + where,
                                        u"UPDATE character_versions SET published_at = NULL"_s + where,
                                        u"DELETE FROM character_versions"_s + where})
            QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_db->owner().script(statement));
    }

    void a_stale_editor_is_refused()
    {
        const auto ada = made();
        QVERIFY(edited(ada.character.id, persona(u"First"_s), ada.rowVersion));
        QCOMPARE(refusal(edited(ada.character.id, persona(u"Second"_s), ada.rowVersion)),
                 ErrorCode::PreconditionFailed);
        QCOMPARE(m_service.find(operators(), ada.character.id)->character.persona.name, u"First"_s);
    }

    void rolling_back_publishes_an_earlier_version_and_leaves_the_draft()
    {
        const CharacterId id = made().character.id;
        QVERIFY(published(id));
        QVERIFY(edited(id, persona(u"Ada Two"_s)));
        QVERIFY(published(id));
        QVERIFY(edited(id, persona(u"Ada Three"_s)));
        const auto back = [&](int version) {
            return inTransaction([&](db::Session &db) { return m_service.rollback(db, id, std::nullopt, version); });
        };
        QCOMPARE(refusal(back(2)), ErrorCode::Conflict); // published already
        QCOMPARE(refusal(back(3)), ErrorCode::Conflict); // the draft
        QCOMPARE(refusal(back(9)), ErrorCode::Conflict);
        QVERIFY(back(1));
        QCOMPARE(m_service.publishedOne(operators(), u"ada"_s)->name, u"Ada"_s);
        QCOMPARE(m_service.find(operators(), id)->character.persona.name, u"Ada Three"_s);
    }

    void archiving_takes_it_off_the_list_and_restoring_brings_it_back()
    {
        const CharacterId id = made().character.id;
        QVERIFY(published(id));
        QVERIFY(inTransaction([&](db::Session &db) { return m_service.archive(db, id, std::nullopt); }));
        QVERIFY(m_service.published(operators(), {}, {}).items.isEmpty());
        QCOMPARE(refusal(published(id)), ErrorCode::Conflict);
        QVERIFY(inTransaction([&](db::Session &db) { return m_service.restore(db, id, std::nullopt); }));
        QCOMPARE(m_service.published(operators(), {}, {}).items.size(), 1);
    }

    void refuses_what_is_wrong_and_names_every_place()
    {
        Persona wrong = persona();
        wrong.name = u"  "_s;
        wrong.spicyPrompt.clear();
        wrong.tags = {u"Maths"_s, u"ok"_s, u"ok"_s};
        wrong.traits = {{u"age"_s, 36}};
        wrong.priceMultiplier = *Factor::parse(u"-1");
        const auto refused =
            inTransaction([&](db::Session &db) { return m_service.create(db, {u"ada"_s, wrong}, m_author); });
        QCOMPARE(refusal(refused), ErrorCode::Invalid);
        QStringList pointers;
        for (const FieldError &error : refused.error().errors)
            pointers.append(error.pointer);
        QCOMPARE(pointers,
                 (QStringList{u"/persona/name"_s, u"/persona/spicy_prompt"_s, u"/persona/price_multiplier"_s,
                              u"/persona/tags/0"_s, u"/persona/tags/2"_s, u"/persona/traits/age"_s}));
    }

    void a_slug_is_unique_and_never_reads_as_an_id()
    {
        made();
        const auto again =
            inTransaction([&](db::Session &db) { return m_service.create(db, {u"ada"_s, persona()}, m_author); });
        QCOMPARE(refusal(again), ErrorCode::Conflict);
        const auto id = inTransaction([&](db::Session &db) {
            return m_service.create(db, {CharacterId::create().toString(), persona()}, m_author);
        });
        QCOMPARE(refusal(id), ErrorCode::Invalid);
    }

    void the_public_view_never_holds_a_prompt()
    {
        QVERIFY(published(made().character.id));
        const auto page = m_service.published(operators(), {}, {});
        const QByteArray text = QJsonDocument(toJson(page)).toJson();
        QVERIFY(text.contains("Counts on it"));
        QVERIFY(!text.contains("SECRET"));
        QCOMPARE(page.items[0].modes, (QList<Mode>{Mode::Normal, Mode::Spicy}));
    }

    void lists_filter_by_tag_mode_and_text()
    {
        Persona plain = persona(u"Ben"_s);
        plain.spicyEnabled = false;
        plain.tags = {u"boats"_s};
        QVERIFY(published(made().character.id));
        QVERIFY(published(made(u"ben"_s, plain).character.id));
        const auto names = [&](const CharacterFilter &filter) {
            QStringList found;
            for (const auto &character : m_service.published(operators(), filter, {}).items)
                found.append(character.name);
            return found;
        };
        QCOMPARE(names({}), (QStringList{u"Ada"_s, u"Ben"_s}));
        QCOMPARE(names({.tag = u"boats"_s}), QStringList{u"Ben"_s});
        QCOMPARE(names({.mode = Mode::Spicy}), QStringList{u"Ada"_s});
        QCOMPARE(names({.mode = Mode::Normal}).size(), 2);
        QCOMPARE(names({.q = u"BE"_s}), QStringList{u"Ben"_s});
        QCOMPARE(names({.q = u"%"_s}).size(), 0);
        const auto page = m_service.published(operators(), {}, {.limit = 1});
        QVERIFY(page.hasMore);
        QCOMPARE(page.total, std::optional<qint64>(2));
    }

    void takes_raster_pictures_only()
    {
        const CharacterId id = made().character.id;
        const auto set = [&](const QByteArray &image) {
            return inTransaction([&](db::Session &db) { return m_service.setAvatar(db, id, std::nullopt, image); });
        };
        QCOMPARE(refusal(set("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")), ErrorCode::UnsupportedMediaType);
        QCOMPARE(refusal(set(QByteArray())), ErrorCode::UnsupportedMediaType);
        QCOMPARE(refusal(set(png(63, 512))), ErrorCode::Invalid);
        QCOMPARE(refusal(set(png(512, 2049))), ErrorCode::Invalid);
        QCOMPARE(refusal(set(png(512, 512) + QByteArray(512 * 1024, 'x'))), ErrorCode::PayloadTooLarge);
        const auto change = set(png(512, 256));
        QVERIFY(change);
        QVERIFY(change->after.character.avatarUrl.startsWith(u"/api/v1/admin/characters/"_s));
        QCOMPARE(m_service.avatarForOperators(operators(), id)->contentType, u"image/png"_s);
        QCOMPARE(refusal(m_service.avatar(operators(), u"ada"_s)), ErrorCode::NotFound); // not published yet
        QVERIFY(published(id));
        QCOMPARE(m_service.avatar(operators(), u"ada"_s)->bytes, png(512, 256));
        QVERIFY(m_service.publishedOne(operators(), u"ada"_s)->avatarUrl.startsWith(u"/api/v1/config/characters/"_s));
    }

    void reads_the_size_of_jpeg_and_webp_and_survives_rubbish()
    {
        const auto jpeg = readImageFacts(
            QByteArray::fromHex("ffd8ffe000104a46494600010100000100010000ffc00011080140020003012200021101031101"));
        QCOMPARE(jpeg->contentType, u"image/jpeg"_s);
        QCOMPARE(jpeg->width, 512);
        QCOMPARE(jpeg->height, 320);
        const auto webp =
            readImageFacts("RIFF" + QByteArray(4, '\0') + "WEBPVP8X" + QByteArray::fromHex("0a000000")
                           + QByteArray(4, '\0') + QByteArray::fromHex("ff0100") + QByteArray::fromHex("3f0100"));
        QCOMPARE(webp->width, 512);
        QCOMPARE(webp->height, 320);
        for (int length = 0; length < 40; ++length) {
            QVERIFY(!readImageFacts(QByteArray("\xff\xd8\xff\xe0").append(QByteArray(length, '\xff'))));
            QVERIFY(!readImageFacts(QByteArray("\xff\xd8\xff\xe0").append(QByteArray(length, '\0'))));
            readImageFacts(png(512, 512).first(length));
            readImageFacts(QByteArray("RIFF....WEBPVP8L/").first(std::min(length, 17)));
        }
    }

    void the_samples_install_once()
    {
        const auto install = [](db::Session &db) {
            db::Transaction transaction(db);
            const int made = installSampleCharacters(db);
            transaction.commit();
            return made;
        };
        QCOMPARE(install(operators()), 6);
        QCOMPARE(install(operators()), 0);
        const auto page = m_service.published(operators(), {}, {});
        QCOMPARE(page.items.size(), 6);
        QVERIFY(m_service.publishedOne(operators(), u"aria"_s).has_value());
        for (const PublicCharacter &character : page.items) {
            QVERIFY2(m_service.avatar(operators(), character.slug).has_value(), qPrintable(character.slug));
            QVERIFY2(character.traits[u"age"_s].toString().toInt() >= 25, qPrintable(character.slug));
            const auto persona = m_service.current(operators(), character.slug)->persona;
            QVERIFY2(persona.systemPrompt.contains(u"you are an AI"_s), qPrintable(character.slug));
            QVERIFY2(persona.spicyPrompt.isEmpty() || persona.spicyPrompt.contains(u"consent"_s),
                     qPrintable(character.slug));
        }
        QVERIFY(m_service.current(operators(), u"maren"_s)->persona.priceMultiplier.isZero());
        QCOMPARE(m_service.published(operators(), {.mode = Mode::Spicy}, {}).total, std::optional<qint64>(5));
    }

    void two_instances_install_the_samples_at_the_same_moment()
    {
        std::atomic<int> made = 0;
        const auto install = [&](db::Session &db) {
            db::Transaction transaction(db);
            made += installSampleCharacters(db);
            transaction.commit();
            return true;
        };
        QObject context;
        int done = 0;
        for (int i = 0; i < 4; ++i)
            m_db->operatorWorkers().act(&context, install, [&](const Result<bool> &outcome) {
                QVERIFY(outcome.has_value());
                ++done;
            });
        QTRY_COMPARE_WITH_TIMEOUT(done, 4, 20'000);
        QCOMPARE(made.load(), 6);
        QCOMPARE(m_service.published(operators(), {}, {}).total, std::optional<qint64>(6));
    }
};

QTEST_GUILESS_MAIN(TestCharacters)
#include "tst_Characters.moc"
