#include "ops/Log.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMutex>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <unistd.h>

namespace companion::ops {

namespace {

struct LogState
{
    QMutex mutex;
    std::function<void(Level, const QByteArray &)> sink;
    std::atomic<Level> minimum = Level::Info;
    std::atomic<bool> human = false;
};

LogState &logState()
{
    static LogState state;
    return state;
}

const char *levelName(Level level)
{
    switch (level) {
    case Level::Debug:
        return "debug";
    case Level::Info:
        return "info";
    case Level::Warning:
        return "warning";
    case Level::Error:
        return "error";
    }
    return "error";
}

bool tellsOfSecret(const QByteArray &name)
{
    static const QList<QByteArray> words{"password", "secret", "token", "authorization", "key"};
    const auto lower = name.toLower();
    return std::ranges::any_of(words, [&](const QByteArray &word) { return lower.contains(word); });
}

// A value as JSON text: QJsonDocument only writes objects and arrays, so one in an array loses its brackets.
QByteArray jsonText(const QJsonValue &value)
{
    const auto array = QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact);
    return array.sliced(1, array.size() - 2);
}

QByteArray valueText(const LogField &field)
{
    if (field.value.isString() && tellsOfSecret(field.name))
        return "\"[redacted]\"";
    return jsonText(field.value);
}

QByteArray jsonLine(Level level, const char *event, const QByteArray &requestId, LogFields fields)
{
    QByteArray line = "{\"time\":\"" + QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs).toLatin1()
        + "\",\"level\":\"" + levelName(level) + "\",\"event\":" + jsonText(QString::fromUtf8(event));
    if (!requestId.isEmpty())
        line += ",\"request_id\":" + jsonText(QString::fromUtf8(requestId));
    for (const auto &field : fields)
        line += "," + jsonText(QString::fromUtf8(field.name)) + ":" + valueText(field);
    return line + "}";
}

QByteArray humanLine(Level level, const char *event, const QByteArray &requestId, LogFields fields)
{
    QByteArray line = QDateTime::currentDateTime().toString(QStringLiteral("HH:mm:ss.zzz")).toLatin1() + " "
        + QByteArray(levelName(level)).leftJustified(7) + " " + event;
    for (const auto &field : fields)
        line += " " + QByteArray(field.name) + "=" + valueText(field);
    if (!requestId.isEmpty())
        line += " request_id=" + requestId;
    return line;
}

// One write() a line, so that lines of several threads and processes do not mix.
void writeLine(Level level, const QByteArray &line)
{
    auto &state = logState();
    const QMutexLocker lock(&state.mutex);
    if (state.sink)
        return state.sink(level, line);
    const QByteArray whole = line + "\n";
    qsizetype done = 0;
    while (done < whole.size()) {
        const auto written = ::write(STDERR_FILENO, whole.constData() + done, size_t(whole.size() - done));
        if (written <= 0)
            return; // stderr is gone: there is nowhere to say so
        done += written;
    }
}

void bridgeQt(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    const auto level = type == QtDebugMsg ? Level::Debug
        : type == QtInfoMsg               ? Level::Info
        : type == QtWarningMsg            ? Level::Warning
                                          : Level::Error;
    log(level, "qt", {{"category", QString::fromUtf8(context.category)}, {"text", message}});
}

} // namespace

void log(Level level, const char *event, const QByteArray &requestId, LogFields fields)
{
    auto &state = logState();
    if (level < state.minimum)
        return;
    writeLine(level,
              state.human ? humanLine(level, event, requestId, fields) : jsonLine(level, event, requestId, fields));
}

void log(Level level, const char *event, LogFields fields)
{
    log(level, event, {}, fields);
}

void installLog(Level minimum, LogForm form)
{
    auto &state = logState();
    state.minimum = minimum;
    state.human = form == LogForm::Human || (form == LogForm::Automatic && ::isatty(STDERR_FILENO));
    qInstallMessageHandler(bridgeQt);
}

void setLogSink(std::function<void(Level, const QByteArray &)> sink)
{
    auto &state = logState();
    const QMutexLocker lock(&state.mutex);
    state.sink = std::move(sink);
}

} // namespace companion::ops
