#include "ops/ProcessFigures.h"

#include <QDir>
#include <QFile>
#include <QLocale>
#include <sys/resource.h>
#include <unistd.h>

namespace companion::ops {

namespace {

QByteArray procFile(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void writeFigure(QByteArray &out, const char *name, const char *type, const char *help, double value)
{
    out += QByteArray("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" + name + " "
        + QByteArray::number(value, 'g', QLocale::FloatingPointShortest) + "\n";
}

// Seconds since the epoch at which this machine started; process start times count from there.
double bootTime()
{
    for (const auto &line : procFile(QStringLiteral("/proc/stat")).split('\n'))
        if (line.startsWith("btime "))
            return line.sliced(6).toDouble();
    return 0;
}

} // namespace

QByteArray processFigures()
{
    QByteArray out;
    // The command's name, in brackets, may hold spaces: the numbered fields are counted from behind it (field 3 = 0).
    const auto stat = procFile(QStringLiteral("/proc/self/stat"));
    const auto fields = stat.sliced(stat.lastIndexOf(')') + 1).trimmed().split(' ');
    if (fields.size() < 22)
        return out;
    const double ticks = double(sysconf(_SC_CLK_TCK));
    rlimit files = {};
    getrlimit(RLIMIT_NOFILE, &files);
    const auto open = QDir(QStringLiteral("/proc/self/fd")).entryList(QDir::AllEntries | QDir::NoDotAndDotDot).size();
    writeFigure(out, "process_cpu_seconds_total", "counter", "User and system processor time spent.",
                (fields.at(11).toDouble() + fields.at(12).toDouble()) / ticks);
    writeFigure(out, "process_max_fds", "gauge", "Most file descriptors that may be open.", double(files.rlim_cur));
    writeFigure(out, "process_open_fds", "gauge", "Open file descriptors.", double(open));
    writeFigure(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                fields.at(21).toDouble() * double(sysconf(_SC_PAGESIZE)));
    writeFigure(out, "process_start_time_seconds", "gauge", "Start time since the epoch.",
                bootTime() + fields.at(19).toDouble() / ticks);
    writeFigure(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", fields.at(20).toDouble());
    return out;
}

} // namespace companion::ops
