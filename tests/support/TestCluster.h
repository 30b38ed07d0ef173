#pragma once

#include "db/Target.h"

#include <QString>
#include <memory>

class QProcess;

namespace companion::test {

// A private PostgreSQL server of this test program: made at the first use (about a second), in a directory of its own
// in memory (/dev/shm) or under the temporary folder, reachable by its Unix socket only. It ends and the directory goes
// when the program ends, however that happens: a shell holds the other end of a pipe from this program and tidies up
// when that breaks. Durability is off, except with COMPANION_TEST_DURABLE set (benchmarks; on disk then). The newest
// PostgreSQL from 15 on under /usr/lib/postgresql is taken.
class TestCluster
{
public:
    static TestCluster &instance();
    ~TestCluster();

    db::Target superuser(const QString &database = QStringLiteral("postgres")) const;
    enum class Manner {
        Fast, // what an administrator does: all sessions end with 57P01
        Immediate, // no farewell: recovery from the write-ahead log
        Killed // SIGKILL of the postmaster; its children follow by themselves
    };
    // For tests of reconnecting; ready again on return. Only a database with synchronous_commit on keeps what it
    // acknowledged just before an unfriendly end.
    void restart(Manner manner = Manner::Fast);
    QString directory() const { return m_directory; }

private:
    TestCluster();
    void waitUntilReady();
    bool startedAnew(Manner manner) const;
    void kill() const;

    QString m_directory;
    std::unique_ptr<QProcess> m_keeper;
};

} // namespace companion::test
