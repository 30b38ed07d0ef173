#include "app/Environment.h"

namespace companion::app {

using namespace Qt::StringLiterals;

std::expected<Configuration, Outcome> configurationFor(const QMap<QString, QString> &commandLine, Notices notices)
{
    const auto loaded = loadConfiguration(QProcessEnvironment::systemEnvironment(), commandLine);
    if (notices == Notices::Tell)
        for (const QString &notice : loaded.notices)
            tell(notice);
    if (loaded.problems.isEmpty())
        return loaded.configuration;
    QString text = u"The configuration is wrong in %1 place(s):\n"_s.arg(loaded.problems.size());
    for (const ConfigurationProblem &problem : loaded.problems)
        text += u"  "_s + problem.toString() + u'\n';
    return std::unexpected(Outcome{.exitCode = 1, .err = text});
}

void tell(const QString &line)
{
    QTextStream(stderr) << line << Qt::endl;
}

} // namespace companion::app
