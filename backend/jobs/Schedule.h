#pragma once

#include "db/Workers.h"

#include <QObject>
#include <QTimer>
#include <functional>
#include <vector>

namespace companion::jobs {

// Work by the clock, shared by all instances through the table `jobs`: each due job is taken under a lease by just one.
// A job does one bounded batch per call and says how many it touched; it is called again at once while it touches any.
// It runs on the bulk lane and must be idempotent: an instance that dies half-way leaves it to the next.
class Schedule : public QObject
{
    Q_OBJECT
public:
    using Work = std::function<int(db::Session &)>;

    explicit Schedule(db::Workers &bulk, QObject *parent = nullptr);

    void add(const QString &name, int every_s, Work work);
    void start();
    void stop();

private:
    struct Job
    {
        QString name;
        int every_s = 60;
        Work work;
    };
    void look();
    // Runs one due job; false when none was due.
    static bool runOne(db::Session &db, const std::vector<Job> &jobs);
    static void run(db::Session &db, const Job &job, const QString &lease);

    db::Workers &m_bulk;
    std::shared_ptr<std::vector<Job>> m_jobs = std::make_shared<std::vector<Job>>();
    QTimer m_timer;
    bool m_looking = false;
};

} // namespace companion::jobs
