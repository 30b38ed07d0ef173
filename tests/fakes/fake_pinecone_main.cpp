// A fake Pinecone index as a program, for the vendor's own SDK: prints its URL and runs until its input ends.
//   fake-pinecone [DIMENSION]

#include "fakes/FakeVectors.h"

#include <QCoreApplication>
#include <QSocketNotifier>
#include <cstdio>
#include <unistd.h>

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    companion::test::FakePinecone fake(argc > 1 ? QByteArray(argv[1]).toInt() : 8);
    std::puts(qPrintable(fake.url().toString()));
    std::fflush(stdout);
    QSocketNotifier input(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&input, &QSocketNotifier::activated, &app, [] {
        char byte;
        if (read(STDIN_FILENO, &byte, 1) <= 0)
            QCoreApplication::quit();
    });
    return QCoreApplication::exec();
}
