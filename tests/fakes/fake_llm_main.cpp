#include "fakes/FakeLlm.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QTextStream>

// fake-llm [--port P] [--always SCRIPT]: prints the base URL on one line and serves until it is ended.
int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QCommandLineParser arguments;
    arguments.setApplicationDescription(
        QStringLiteral("A fake LLM provider on the OpenAI wire; see tests/fakes/FakeLlm.h."));
    arguments.addHelpOption();
    arguments.addOption({QStringLiteral("port"), QStringLiteral("Port; 0 takes a free one."), QStringLiteral("P"),
                         QStringLiteral("0")});
    arguments.addOption(
        {QStringLiteral("always"), QStringLiteral("What to do with each request."), QStringLiteral("SCRIPT")});
    arguments.process(app);

    FakeLlm fake;
    fake.always(arguments.value(QStringLiteral("always")));
    if (!fake.listen(arguments.value(QStringLiteral("port")).toUShort())) {
        QTextStream(stderr) << "fake-llm: cannot listen on port " << arguments.value(QStringLiteral("port")) << '\n';
        return 1;
    }
    QTextStream(stdout) << fake.baseUrl().toString() << Qt::endl;
    return app.exec();
}
