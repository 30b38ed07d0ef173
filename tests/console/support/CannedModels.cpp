#include "tests/console/support/CannedModels.h"

#include <QJsonDocument>

namespace companion::console::canned {

namespace {

template <class Tag>
Id<Tag> idOf(int number)
{
    return Id<Tag>(QUuid(0x10000000, 0, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uchar>(number)));
}

Credits credits(const char *text)
{
    return *Credits::parse(QString::fromLatin1(text));
}

Figure figure(const char *current, const char *previous)
{
    return {QString::fromLatin1(current), QString::fromLatin1(previous)};
}

QByteArray event(const QJsonObject &object)
{
    return "data: " + QJsonDocument(object).toJson(QJsonDocument::Compact) + "\n\n";
}

QByteArray text(const QString &words)
{
    const QJsonObject delta{{QStringLiteral("delta"), QJsonObject{{QStringLiteral("content"), words}}}};
    return event({{QStringLiteral("choices"), QJsonArray{delta}}});
}

CannedReply withTag(const AdminCharacter &character, const QByteArray &etag)
{
    CannedReply reply = CannedReply::json(toJson(character));
    reply.headers.append({"ETag", etag});
    return reply;
}

} // namespace

TokenGrant grant(const QString &accessToken)
{
    User operatorUser;
    operatorUser.id = idOf<UserTag>(99);
    operatorUser.displayName = QStringLiteral("Olga Operator");
    operatorUser.email = QStringLiteral("olga@example.com");
    operatorUser.roles = {Role::User, Role::Admin};
    operatorUser.locale = QStringLiteral("en");
    operatorUser.createdAt = now;
    return {.accessToken = accessToken,
            .expiresIn = 900,
            .refreshToken = QStringLiteral("refresh-of-") + accessToken,
            .user = operatorUser};
}

AdminUser user(int number)
{
    AdminUser user;
    user.id = idOf<UserTag>(number);
    user.displayName = QStringLiteral("User %1").arg(number);
    user.email = QStringLiteral("user%1@example.com").arg(number);
    user.roles = {Role::User};
    user.tier = number % 2 ? Tier::Premium : Tier::Free;
    user.balance = credits("12.3400");
    user.createdAt = now.addDays(-number);
    return user;
}

AdminCharacter character(const QString &slug, bool spicy)
{
    AdminCharacter character;
    character.id = idOf<CharacterTag>(static_cast<int>(slug.size()));
    character.slug = slug;
    character.status = CharacterStatus::Published;
    character.publishedVersion = 1;
    character.draftVersion = 2;
    character.hasUnpublishedChanges = true;
    character.updatedAt = now.addSecs(-3600);
    character.persona.name = slug.left(1).toUpper() + slug.mid(1);
    character.persona.tagline = QStringLiteral("A test of patience");
    character.persona.systemPrompt = QStringLiteral("You are kind.");
    character.persona.spicyPrompt = spicy ? QStringLiteral("You are bold.") : QString();
    character.persona.spicyEnabled = spicy;
    character.persona.traits = {{QStringLiteral("warmth"), 0.8}};
    return character;
}

CharacterVersion version(int number)
{
    return {.version = number,
            .createdAt = now.addDays(-number),
            .publishedAt = number == 1 ? std::optional(now) : std::nullopt,
            .author = QStringLiteral("Olga Operator"),
            .persona = character(QStringLiteral("aria")).persona};
}

Transaction transaction(int number)
{
    Transaction transaction;
    transaction.id = idOf<TransactionTag>(number);
    transaction.kind = number % 3 ? TransactionKind::Chat : TransactionKind::Purchase;
    transaction.amount = number % 3 ? -credits("0.0328") : credits("110.0000");
    (number % 3 ? transaction.buckets.dailyFree : transaction.buckets.purchased) = transaction.amount;
    transaction.balanceAfter.purchased = credits("206.0000");
    transaction.createdAt = now.addSecs(-60 * number);
    transaction.description = QStringLiteral("Row %1").arg(number);
    return transaction;
}

Balance balance()
{
    Balance balance;
    balance.total = credits("318.4320");
    balance.available = credits("317.9000");
    balance.held = credits("0.5320");
    balance.dailyFree = credits("82.4320");
    balance.purchased = credits("206.0000");
    balance.bonus = credits("30.0000");
    balance.dailyLimit = credits("100.0000");
    balance.refreshesAt = now.addSecs(3600 * 12);
    balance.lots = {{Bucket::DailyFree, balance.dailyFree, balance.refreshesAt},
                    {Bucket::Purchased, balance.purchased, std::nullopt},
                    {Bucket::Bonus, balance.bonus, now.addDays(3)}};
    return balance;
}

StatsSummary stats()
{
    return {.from = now.addDays(-30),
            .to = now,
            .dailyActiveUsers = figure("412.3", "388.1"),
            .weeklyActiveUsers = figure("1204", "1180"),
            .monthlyActiveUsers = figure("1894", "1690"),
            .conversionPercent = figure("6.4", "5.9"),
            .revenueUsd = figure("12843.22", "11020.10"),
            .arpuUsd = figure("6.78", "0"),
            .creditsSpent = figure("48210.3320", "50110.1000"),
            .creditsGranted = figure("61022.0000", "58000.0000"),
            .turns = figure("38211", "38211"),
            .llmCostUsd = figure("1320.1122334455", "1410.2"),
            .blockedPercent = figure("0.6", "0.8")};
}

PersonaTestResult testResult()
{
    PersonaTestResult result;
    result.model = QStringLiteral("rehearsal");
    result.prompt = {{QStringLiteral("messages"),
                      QJsonArray{QJsonObject{{QStringLiteral("role"), QStringLiteral("system")},
                                             {QStringLiteral("content"), QStringLiteral("You are kind.")}}}}};
    result.promptTokens = 212;
    result.completionTokens = 48;
    result.totalTokens = 260;
    result.price = credits("0.0260");
    result.costUsd = QStringLiteral("0.0000");
    result.firstToken_ms = 238;
    result.total_ms = 1420;
    result.verdicts = {{QStringLiteral("input"), QStringLiteral("allow"), {}, {}}};
    return result;
}

void serveEverything(CannedServer &server)
{
    const QString api = QStringLiteral("/api/v1");
    const AdminCharacter aria = character(QStringLiteral("aria"));
    const AdminCharacter kenji = character(QStringLiteral("kenji"), false);
    server.on(QStringLiteral("GET /health/live"),
              CannedReply::json({{QStringLiteral("status"), QStringLiteral("ok")}}));
    server.on(QStringLiteral("POST ") + api + QStringLiteral("/auth/login"), CannedReply::json(toJson(grant())));
    server.on(QStringLiteral("POST ") + api + QStringLiteral("/auth/logout"), {.status = 204});
    const QString get = QStringLiteral("GET ") + api + QStringLiteral("/admin/");
    const QString post = QStringLiteral("POST ") + api + QStringLiteral("/admin/");
    server.on(get + QStringLiteral("system"),
              CannedReply::json(toJson(SystemInfo{.version = QStringLiteral("0.1.0"),
                                                  .environment = QStringLiteral("development"),
                                                  .model = QStringLiteral("rehearsal"),
                                                  .rehearsal = true,
                                                  .startedAt = now,
                                                  .components = {}})));
    server.on(get + QStringLiteral("stats"), CannedReply::json(toJson(stats())));
    server.on(get + QStringLiteral("stats/revenue"), [](const CannedRequest &request) {
        const QString from = request.query.queryItemValue(QStringLiteral("from"));
        const QDateTime day = QDateTime::fromString(from, Qt::ISODate);
        return CannedReply::json(toJson(Series<RevenuePoint>{
            {{day.addDays(3), QStringLiteral("premium"), QStringLiteral("9.99"), QStringLiteral("USD"), 1}}}));
    });
    server.on(get + QStringLiteral("stats/activity"), CannedReply::json(toJson(Series<ActivityPoint>{})));
    server.on(get + QStringLiteral("characters"), page<AdminCharacter>({aria, kenji}));
    server.on(get + QStringLiteral("characters/") + aria.id.toString(), withTag(aria, "\"1\""));
    server.on(get + QStringLiteral("characters/") + aria.id.toString() + QStringLiteral("/versions"),
              page<CharacterVersion>({version(2), version(1)}));
    server.on(get + QStringLiteral("characters/") + kenji.id.toString() + QStringLiteral("/versions"),
              page<CharacterVersion>({version(1)}));
    server.on(get + QStringLiteral("users"), [](const CannedRequest &request) {
        QList<AdminUser> found;
        for (const int number : {1, 2, 3})
            if (user(number).email.contains(request.query.queryItemValue(QStringLiteral("q"), QUrl::FullyDecoded)))
                found.append(user(number));
        return page(found);
    });
    const QString one = get + QStringLiteral("users/") + user(2).id.toString();
    server.on(one, CannedReply::json(toJson(user(2))));
    server.on(one + QStringLiteral("/wallet"), CannedReply::json(toJson(balance())));
    server.on(one + QStringLiteral("/transactions"),
              page<Transaction>({transaction(1), transaction(2), transaction(3)}));
    server.on(post + QStringLiteral("users/") + user(2).id.toString() + QStringLiteral("/adjustments"),
              CannedReply::json(toJson(transaction(3)), 201));
    server.on(post + QStringLiteral("persona-tests"), [](const CannedRequest &request) {
        const QString mode = request.json().value(QStringLiteral("mode")).toString();
        return CannedReply{.contentType = "text/event-stream",
                           .stream = {": ping\n\n", text(QStringLiteral("A ") + mode), text(QStringLiteral(" reply.")),
                                      event({{QStringLiteral("choices"), QJsonArray()},
                                             {QStringLiteral("persona_test"), toJson(testResult())}}),
                                      "data: [DONE]\n\n"},
                           .delay_ms = 5};
    });
}

} // namespace companion::console::canned
