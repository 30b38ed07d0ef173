#include "bench/support/People.h"

#include "bench/support/Clients.h"
#include "characters/CharacterService.h"
#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"

#include <QJsonDocument>

using namespace Qt::StringLiterals;

namespace companion::bench {

QList<Person> makePeople(test::TestDatabase &database, int count)
{
    const SystemClock clock;
    db::Session operators(database.operatorTarget(), clock);
    const identity::AccountStore accounts;
    db::Transaction transaction(operators);
    characters::installSampleCharacters(operators);
    QList<Person> people;
    for (int i = 0; i < count; ++i) {
        const auto account = accounts.create(
            operators, {.displayName = u"Bench"_s, .email = u"bench%1@example.com"_s.arg(i), .roles = {Role::User}},
            clock.now());
        ensure(account.has_value(), "the address is free");
        ensure(accounts.setTier(operators, account->id(), Tier::Vip, {}, clock.now()).has_value(), "vip it is");
        const auto key = identity::AccessKeys().create(operators, account->id(), std::nullopt).key;
        people.append({.id = account->id(), .accessKey = key.toLatin1(), .token = {}});
    }
    transaction.commit();
    return people;
}

void signIn(quint16 port, QList<Person> &people)
{
    for (Person &person : people) {
        const auto answer =
            ask(port,
                requestBytes("POST", "/api/v1/auth/login", {},
                             {{u"provider"_s, u"access_key"_s}, {u"token"_s, QString::fromLatin1(person.accessKey)}}));
        person.token = QJsonDocument::fromJson(answer.body)[u"access_token"_s].toString().toLatin1();
        ensure(!person.token.isEmpty(), answer.body.constData());
    }
}

QByteArray openSession(quint16 port, const Person &person)
{
    const auto answer =
        ask(port, requestBytes("POST", "/api/v1/chat/sessions", person.token, {{u"character"_s, u"aria"_s}}));
    const QByteArray id = QJsonDocument::fromJson(answer.body)[u"id"_s].toString().toLatin1();
    ensure(!id.isEmpty(), answer.body.constData());
    return id;
}

} // namespace companion::bench
