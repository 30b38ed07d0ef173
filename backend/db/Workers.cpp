#include "db/Workers.h"

#include "common/Bug.h"
#include "db/DatabaseError.h"

#include <QElapsedTimer>
#include <QLoggingCategory>

namespace companion::db {

Q_LOGGING_CATEGORY(workersLog, "companion.db.workers", QtInfoMsg)

namespace {

constexpr int pauseAfterFailedConnect_ms = 500; // while the server is away, acts are refused at once

Refusal notReady(const std::exception &error)
{
    return {.code = ErrorCode::NotReady,
            .detail = QStringLiteral("The database cannot be reached just now."),
            .log = QString::fromUtf8(error.what()),
            .retryAfter_s = 1};
}

Refusal internal(const std::exception &error)
{
    return {.code = ErrorCode::Internal,
            .detail = QStringLiteral("Something went wrong on our side."),
            .log = QString::fromUtf8(error.what())};
}

} // namespace

Workers::Workers(const Target &target, const Clock &clock, Options options, QObject *parent)
    : QObject(parent)
    , m_target(target)
    , m_clock(clock)
    , m_options(std::move(options))
{
    m_load.threads = m_options.threads;
    for (int i = 0; i < m_options.threads; ++i) {
        m_threads.emplace_back(QThread::create([this] { run(); }));
        m_threads.back()->setObjectName(QStringLiteral("db-%1-%2").arg(m_options.name).arg(i));
        m_threads.back()->start();
    }
}

Workers::~Workers()
{
    stop();
}

void Workers::stop()
{
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    for (const auto &thread : m_threads)
        thread->wait();
    m_threads.clear();
}

Workers::Load Workers::load() const
{
    const std::lock_guard lock(m_mutex);
    Load load = m_load;
    load.queued = int(m_queue.size());
    return load;
}

void Workers::enqueue(Job job)
{
    auto shared = std::make_shared<Job>(std::move(job));
    std::unique_lock lock(m_mutex);
    if (!m_stopping && int(m_queue.size()) < m_options.queueLimit) {
        m_queue.push_back(std::move(shared));
        lock.unlock();
        m_wake.notify_one();
        return;
    }
    const bool stopping = m_stopping;
    m_load.overloaded += stopping ? 0 : 1;
    lock.unlock();
    shared->refused({.code = stopping ? ErrorCode::ShuttingDown : ErrorCode::Overloaded,
                     .detail = stopping ? QStringLiteral("The server is shutting down.")
                                        : QStringLiteral("Too much is going on at the moment."),
                     .retryAfter_s = 1});
    post(std::move(shared));
}

Workers::SharedJob Workers::next()
{
    std::unique_lock lock(m_mutex);
    m_wake.wait(lock, [this] { return m_stopping || !m_queue.empty(); });
    if (m_queue.empty())
        return nullptr;
    auto job = std::move(m_queue.front());
    m_queue.pop_front();
    ++m_load.running;
    return job;
}

void Workers::run()
{
    Session session(m_target, m_clock, m_options.statementTimeout_ms);
    QElapsedTimer sinceFailedConnect;
    while (auto job = next()) {
        bool well = false;
        try {
            if (sinceFailedConnect.isValid() && sinceFailedConnect.elapsed() < pauseAfterFailedConnect_ms)
                throw DatabaseError(QStringLiteral("the last attempt to connect has just failed"), {});
            session.makeReady();
            sinceFailedConnect.invalidate();
            well = attempt(session, *job);
        } catch (const std::exception &error) { // no connection, so the act has not run
            if (!sinceFailedConnect.isValid() || sinceFailedConnect.hasExpired(pauseAfterFailedConnect_ms)) {
                qCWarning(workersLog) << m_options.name << "cannot connect:" << error.what();
                sinceFailedConnect.start();
            }
            job->refused(notReady(error));
        }
        job->run = nullptr; // what the act holds is let go on the thread where it ran
        finished(well);
        post(std::move(job));
    }
}

bool Workers::attempt(Session &session, Job &job)
{
    try {
        job.run(session);
        return true;
    } catch (const DatabaseError &error) {
        qCWarning(workersLog) << m_options.name << "database error" << error.sqlState() << error.what();
        job.refused(error.isConnectionLost() ? notReady(error) : internal(error));
    } catch (const std::exception &error) {
        qCCritical(workersLog) << m_options.name << "bug:" << error.what();
        job.refused(internal(error));
    }
    return false;
}

void Workers::finished(bool well)
{
    const std::lock_guard lock(m_mutex);
    --m_load.running;
    ++m_load.done;
    m_load.failed += well ? 0 : 1;
}

// The context may be deleted at any moment on its own thread, so the answer goes by way of this object and the
// context's pointer is looked at only there.
void Workers::post(SharedJob job)
{
    QMetaObject::invokeMethod(this, [job = std::move(job)] { job->then(); }, Qt::QueuedConnection);
}

} // namespace companion::db
