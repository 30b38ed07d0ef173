#include "rights/ExportService.h"

#include <QJsonDocument>

namespace companion::rights {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype flushAt = 65'536;

// A JSON array, written as it comes.
class ArrayWriter
{
public:
    explicit ArrayWriter(ZipFile &zip)
        : m_zip(zip)
    {
    }
    void add(const QByteArray &object)
    {
        m_pending += (m_count++ == 0 ? "[\n" : ",\n") + object;
        if (m_pending.size() >= flushAt)
            flush();
    }
    qint64 finish()
    {
        m_pending += m_count == 0 ? "[]\n" : "\n]\n";
        flush();
        return m_count;
    }

private:
    void flush()
    {
        m_zip.write(m_pending);
        m_pending.clear();
    }
    ZipFile &m_zip;
    QByteArray m_pending;
    qint64 m_count = 0;
};

QByteArray aboutOf(const UserId &user, const QDateTime &now, const QJsonObject &counts)
{
    return QJsonDocument(QJsonObject{{u"user_id"_s, user.toString()},
                                     {u"made_at"_s, now.toUTC().toString(Qt::ISODateWithMs)},
                                     {u"objects"_s, counts}})
        .toJson();
}

} // namespace

Result<std::shared_ptr<SpoolFile>> ExportService::make(db::Session &db, const UserId &user) const
{
    db::Transaction transaction(db); // for the lock's sake
    if (!db.one("rights.try_export", {{"user_id", user}}).boolean("got"))
        return refuse(ErrorCode::Conflict, u"An export of this account is being made."_s);
    auto file = std::make_shared<SpoolFile>();
    ZipFile zip(*file);
    const qint64 now_s = db.now().toSecsSinceEpoch();
    QJsonObject counts;
    for (const auto &data : m_data) {
        zip.begin(data->name() + ".json", now_s);
        ArrayWriter array(zip);
        data->exportTo([&array](const QByteArray &object) { array.add(object); }, db, user);
        counts.insert(QString::fromLatin1(data->name()), array.finish());
    }
    zip.begin("about.json", now_s);
    zip.write(aboutOf(user, db.now(), counts));
    zip.finish();
    transaction.commit();
    return file;
}

} // namespace companion::rights
