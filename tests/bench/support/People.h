#pragma once

#include "support/TestDatabase.h"

#include <QList>

namespace companion::bench {

struct Person
{
    UserId id;
    QByteArray accessKey;
    QByteArray token; // after signIn()
};

// vip users with an access key each, and the sample characters, written by the services themselves.
QList<Person> makePeople(test::TestDatabase &database, int count);
void signIn(quint16 port, QList<Person> &people);
QByteArray openSession(quint16 port, const Person &person); // its id

} // namespace companion::bench
