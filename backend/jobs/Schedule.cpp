#include "jobs/Schedule.h"

#include "ops/Log.h"

#include <QUuid>

#include <algorithm>

namespace companion::jobs {

namespace {

constexpr int lookEvery_ms = 5'000;
constexpr int lease_s = 300;
constexpr int mostBatches = 1'000; // then the next look goes on

} // namespace

Schedule::Schedule(db::Workers &bulk, QObject *parent)
    : QObject(parent)
    , m_bulk(bulk)
{
    m_timer.setInterval(lookEvery_ms);
    connect(&m_timer, &QTimer::timeout, this, &Schedule::look);
}

void Schedule::add(const QString &name, int every_s, Work work)
{
    m_jobs->push_back({name, every_s, std::move(work)});
}

void Schedule::start()
{
    m_bulk.act(
        this,
        [jobs = m_jobs](db::Session &db) {
            for (const Job &job : *jobs)
                db.execute("jobs.announce", {{"name", job.name}, {"every_s", job.every_s}, {"now", db.now()}});
        },
        [this](const auto &) {
            m_timer.start();
            look();
        });
}

void Schedule::stop()
{
    m_timer.stop();
}

void Schedule::look()
{
    if (m_looking)
        return;
    m_looking = true;
    m_bulk.act(
        this, [jobs = m_jobs](db::Session &db) { return runOne(db, *jobs); },
        [this](const Result<bool> &ran) {
            m_looking = false;
            if (ran && *ran && m_timer.isActive())
                look();
        });
}

bool Schedule::runOne(db::Session &db, const std::vector<Job> &jobs)
{
    QStringList names;
    for (const Job &job : jobs)
        names.append(job.name);
    const QString lease = QUuid::createUuid().toString(QUuid::WithoutBraces);
    const auto taken =
        db.first("jobs.take",
                 {{"names", names}, {"lease", lease}, {"now", db.now()}, {"until", db.now().addSecs(lease_s)}});
    if (!taken)
        return false;
    const QString name = taken->text("name");
    run(db, *std::ranges::find(jobs, name, &Job::name), lease);
    return true;
}

void Schedule::run(db::Session &db, const Job &job, const QString &lease)
{
    std::optional<QString> error;
    try {
        for (int batches = 0; batches < mostBatches && job.work(db) > 0; ++batches) { }
    } catch (const std::exception &failure) {
        error = QString::fromUtf8(failure.what()).left(500);
        ops::log(ops::Level::Error, "job_failed", {{"job", job.name}, {"error", *error}});
        db.makeReady();
    }
    db.execute("jobs.done",
               {{"name", job.name},
                {"lease", lease},
                {"now", db.now()},
                {"next", db.now().addSecs(job.every_s)},
                {"error", error}});
}

} // namespace companion::jobs
