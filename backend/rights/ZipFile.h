#pragma once

#include <QByteArray>
#include <memory>

struct archive;
struct archive_entry;

namespace companion::rights {

// A file without a name in the temporary directory: gone with its last user, also when the process dies. Thread-safe to
// hand over, not to share.
class SpoolFile
{
public:
    SpoolFile(); // throws std::runtime_error
    ~SpoolFile();
    SpoolFile(const SpoolFile &) = delete;
    SpoolFile &operator=(const SpoolFile &) = delete;
    int descriptor() const { return m_descriptor; }
    qint64 size() const;

private:
    int m_descriptor = -1;
};

// Writes a zip (deflate, zip64 where needed) straight into a file: what is kept in memory does not grow with it.
// Throws std::runtime_error where the file cannot be written (the disk is full).
class ZipFile
{
public:
    explicit ZipFile(const SpoolFile &file);
    ~ZipFile();
    ZipFile(const ZipFile &) = delete;
    ZipFile &operator=(const ZipFile &) = delete;

    void begin(const QByteArray &name, qint64 time_s); // the next file in it
    void write(const QByteArray &bytes);
    void finish();

private:
    void check(long long result) const;

    struct archive *m_archive;
};

} // namespace companion::rights
