// fake-stripe: FakeStripe as a program. Prints one line {"url", "key"} and serves until its standard input ends.

#include "fakes/FakeStripe.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QSocketNotifier>

#include <cstdio>
#include <unistd.h>

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    companion::test::FakeStripe stripe([] { return QDateTime::currentSecsSinceEpoch(); });
    std::printf("{\"url\":\"%s\",\"key\":\"%s\"}\n", qPrintable(stripe.url().toString()), stripe.key().constData());
    std::fflush(stdout);
    QSocketNotifier ended(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&ended, &QSocketNotifier::activated, &application, [] {
        char some[256];
        if (::read(STDIN_FILENO, some, sizeof some) <= 0)
            QCoreApplication::quit();
    });
    return QCoreApplication::exec();
}
