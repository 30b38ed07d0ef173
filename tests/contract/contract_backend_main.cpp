// A whole backend in this process for the contract's tests, which are in JavaScript: on a database of its own, with one
// person of each kind. Prints one line of JSON when it serves, ends when its standard input does.
//   contract-backend [NAME=VALUE]…    settings, as in the environment

#include "backend/TestBackend.h"
#include "common/describe/EnumText.h"
#include "identity/SigningKeys.h"
#include "ops/Log.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSocketNotifier>
#include <QTextStream>

#include <unistd.h>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {

QMap<QString, QString> settingsFrom(const QStringList &arguments)
{
    QMap<QString, QString> settings{{u"RATE_LIMIT_COMMON"_s, u"1000000"_s},
                                    {u"RATE_LIMIT_SIGN_IN"_s, u"1000000"_s},
                                    {u"CORS_ORIGINS"_s, u"https://app.example.com"_s}};
    for (const QString &argument : arguments)
        settings.insert(argument.section(u'=', 0, 0), argument.section(u'=', 1));
    return settings;
}

class People
{
public:
    explicit People(TestBackend &backend)
        : m_backend(backend)
        , m_operators(backend.database().operatorTarget(), m_clock)
    {
    }

    // A vip, rich and of age, unless `tier` says otherwise.
    QJsonObject make(const QString &name, const QList<Role> &roles, Tier tier = Tier::Vip)
    {
        const Person person = m_backend.newPerson(name + u"@example.com"_s, roles);
        db::Transaction transaction(m_operators);
        auto &features = m_backend.features();
        const QDateTime now = m_clock.now();
        ensure(features.accounts.setTier(m_operators, person.id, tier, std::nullopt, now).has_value(), "tier");
        ensure(features.accounts.verifyAge(m_operators, person.id, u"test"_s, u"test"_s, now).has_value(), "age");
        if (tier != Tier::Free)
            ensure(features.ledger
                       .grant(m_operators,
                              {.user = person.id,
                               .key = u"contract"_s,
                               .bucket = Bucket::Purchased,
                               .amount = Credits::fromUnits(10'000'000'0000),
                               .kind = TransactionKind::Purchase,
                               .description = u"For the contract's tests"_s})
                       .has_value(),
                   "a grant");
        const QString key = identity::AccessKeys().create(m_operators, person.id, std::nullopt).key;
        transaction.commit();
        return {{u"id"_s, person.id.toString()},
                {u"token"_s, QString::fromLatin1(person.token)},
                {u"access_key"_s, key}};
    }

    void suspend(const QJsonObject &person)
    {
        const auto user = *UserId::parse(person[u"id"_s].toString());
        ensure(m_backend.features()
                   .accounts.change(m_operators, user, {.status = UserStatus::Suspended}, m_clock.now())
                   .has_value(),
               "a suspension");
    }

    // The same person's token, as it was an hour ago.
    QJsonObject expired(const QJsonObject &person)
    {
        const auto claims = m_backend.features().tokens.verify(person[u"token"_s].toString().toLatin1());
        ensure(claims.has_value(), "a fresh token verifies");
        ManualClock past;
        past.set(m_clock.now().addSecs(-3600));
        identity::AccessTokens tokens(past, identity::SigningKeys().load(m_operators));
        identity::TokenClaims old = *claims;
        old.expiresAt = past.now().addSecs(900);
        QJsonObject same = person;
        same.insert(u"token"_s, tokens.issue(old));
        return same;
    }

    QJsonObject withApiKey(const QJsonObject &person)
    {
        const auto user = *UserId::parse(person[u"id"_s].toString());
        const auto key = [&] {
            db::Session app(m_backend.database().appTarget(), m_clock);
            db::Transaction transaction(app, user);
            const auto made = m_backend.features().apiKeys.create(app, user, u"contract"_s);
            transaction.commit();
            return made;
        }();
        ensure(key.has_value(), "an API key");
        QJsonObject same = person;
        same.insert(u"token"_s, key->key);
        return same;
    }

private:
    TestBackend &m_backend;
    SystemClock m_clock;
    db::Session m_operators;
};

QJsonObject everybody(TestBackend &backend)
{
    People people(backend);
    QJsonObject all;
    for (const auto &[role, name] : EnumNames<Role>::values)
        all.insert(QString::fromLatin1(name),
                   people.make(QString::fromLatin1(name), role == Role::User ? QList{role} : QList{Role::User, role}));
    all.insert(u"other"_s, people.make(u"other"_s, {Role::User}));
    all.insert(u"target"_s, people.make(u"target"_s, {Role::User})); // for what operators do to people
    all.insert(u"free"_s, people.make(u"free"_s, {Role::User}, Tier::Free));
    QJsonArray leavers; // who erase themselves, each once
    for (int i = 0; i < 16; ++i)
        leavers.append(people.make(u"leaver%1"_s.arg(i), {Role::User}, Tier::Free));
    all.insert(u"leavers"_s, leavers);
    all.insert(u"api_key"_s, people.withApiKey(all[u"user"_s].toObject()));
    all.insert(u"expired"_s, people.expired(all[u"admin"_s].toObject()));
    const QJsonObject suspended = people.make(u"suspended"_s, {Role::User, Role::Admin});
    people.suspend(suspended);
    all.insert(u"suspended"_s, suspended);
    return all;
}

// What signs the sandbox's webhooks, so that a caller can.
QString sandboxSecret(TestBackend &backend)
{
    return QString::fromLatin1(payments::SandboxWorld().secret(backend.database().operators()).toHex());
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    ops::installLog(ops::Level::Error);
    TestBackend backend(settingsFrom(app.arguments().sliced(1)));
    // Vips are to be limited by nothing here; the free tier keeps its five a minute.
    backend.database().owner().script(u"UPDATE tiers SET requests_per_minute = 100000 WHERE code = 'vip'"_s);
    QJsonArray routes;
    for (const auto &[method, pattern] : backend.backend().routes())
        routes.append(QString(QString::fromLatin1(http::methodName(method)) + u' ' + pattern));
    const QJsonObject ready{{u"url"_s, u"http://127.0.0.1:%1"_s.arg(backend.port())},
                            {u"people"_s, everybody(backend)},
                            {u"sandbox_secret"_s, sandboxSecret(backend)},
                            {u"routes"_s, routes}};
    QTextStream(stdout) << QJsonDocument(ready).toJson(QJsonDocument::Compact) << Qt::endl;

    QSocketNotifier end(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&end, &QSocketNotifier::activated, &app, &QCoreApplication::quit);
    return app.exec();
}
