#include "rights/ZipFile.h"

#include <QDir>
#include <archive.h>
#include <archive_entry.h>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace companion::rights {

SpoolFile::SpoolFile()
{
    QByteArray pattern = QDir::tempPath().toLocal8Bit() + "/companion-export-XXXXXX";
    m_descriptor = ::mkostemp(pattern.data(), O_CLOEXEC);
    if (m_descriptor < 0)
        throw std::runtime_error("no temporary file can be made in " + QDir::tempPath().toStdString());
    ::unlink(pattern.constData());
}

SpoolFile::~SpoolFile()
{
    ::close(m_descriptor);
}

qint64 SpoolFile::size() const
{
    struct stat status = {};
    return ::fstat(m_descriptor, &status) == 0 ? status.st_size : -1;
}

ZipFile::ZipFile(const SpoolFile &file)
    : m_archive(archive_write_new())
{
    check(archive_write_set_format_zip(m_archive));
    check(archive_write_set_options(m_archive, "zip:compression=deflate,zip:compression-level=6,hdrcharset=UTF-8"));
    check(archive_write_open_fd(m_archive, file.descriptor()));
}

ZipFile::~ZipFile()
{
    archive_write_free(m_archive);
}

void ZipFile::check(long long result) const
{
    if (result < ARCHIVE_OK)
        throw std::runtime_error(std::string("the zip cannot be written: ") + archive_error_string(m_archive));
}

void ZipFile::begin(const QByteArray &name, qint64 time_s)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, name.constData());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, time_s, 0); // no size: it is not known before
    const int result = archive_write_header(m_archive, entry);
    archive_entry_free(entry);
    check(result);
}

void ZipFile::write(const QByteArray &bytes)
{
    check(archive_write_data(m_archive, bytes.constData(), static_cast<size_t>(bytes.size())));
}

void ZipFile::finish()
{
    check(archive_write_close(m_archive));
}

} // namespace companion::rights
