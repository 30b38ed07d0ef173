#pragma once

#include <QByteArray>
#include <QJsonValue>
#include <functional>
#include <initializer_list>

namespace companion::ops {

// One line of JSON a line on stderr: {"time","level","event","request_id", fields…}. A terminal gets a form for people.
// An event is a fixed snake_case word, what varies goes into fields; nobody's message text and no secret is ever a
// field. As a second fence, a text field whose name tells of a secret (password, secret, token, authorization, key) is
// written as "[redacted]". All functions are safe from any thread.
enum class Level { Debug, Info, Warning, Error };

struct LogField
{
    const char *name;
    QJsonValue value;
};
using LogFields = std::initializer_list<LogField>;

void log(Level level, const char *event, const QByteArray &requestId, LogFields fields = {});
void log(Level level, const char *event, LogFields fields = {});

enum class LogForm { Automatic, Json, Human };

// Sets what is written and in which form, and takes over qDebug, qWarning, … (event "qt"). Call once, at start.
void installLog(Level minimum = Level::Info, LogForm form = LogForm::Automatic);

// Lines go to `sink` (without their line end) instead of stderr; an empty one turns back. For tests, and for who
// forwards errors. Called under a lock: it must not log.
void setLogSink(std::function<void(Level, const QByteArray &line)> sink);

} // namespace companion::ops
