#include "moderation/ModerationStore.h"

#include "common/Ensure.h"
#include "common/describe/Json.h"

namespace companion::moderation {

namespace {

ModerationEvent eventOf(const db::Row &row)
{
    return {.id = row.id<ModerationEventId>("id"),
            .user = row.id<UserId>("user_id"),
            .session = row.maybeId<SessionId>("session_id"),
            .message = row.maybeId<MessageId>("message_id"),
            .direction = row.value<Direction>("direction"),
            .action = row.value<Action>("action"),
            .severity = row.value<Severity>("severity"),
            .category = row.text("category"),
            .rule = row.text("rule"),
            .mode = row.value<Mode>("mode"),
            .status = row.value<EventStatus>("status"),
            .createdAt = row.time("created_at")};
}

std::unexpected<Refusal> noSuchEvent()
{
    return refuse(ErrorCode::NotFound, QStringLiteral("There is no such moderation event."));
}

// A page begins after the event that its cursor names: "<time>|<id>".
struct Cursor
{
    std::optional<QDateTime> time;
    std::optional<ModerationEventId> id;
};

QString cursorAfter(const ModerationEvent &event)
{
    return json::timeText(event.createdAt) + u'|' + event.id.toString();
}

Cursor parseCursor(const std::optional<QString> &text)
{
    if (!text)
        return {};
    const auto time = json::parseTime(text->section(u'|', 0, 0));
    const auto id = ModerationEventId::parse(text->section(u'|', 1));
    return time && id ? Cursor{time, id} : Cursor{};
}

// Times in the database have microseconds where a cursor has milliseconds: what record() writes has milliseconds too.
QByteArray contextOf(const ModerationEventId &id)
{
    return id.toString().toLatin1();
}

} // namespace

ModerationStore::ModerationStore(TextCipher cipher)
    : m_cipher(std::move(cipher))
{
}

ModerationEventId ModerationStore::record(db::Session &db, const NewModerationEvent &event) const
{
    const Verdict &verdict = event.verdict;
    ensure(!verdict.isAllowed(), "what was allowed is not recorded");
    const auto id = ModerationEventId::create();
    db.execute("moderation.record",
               {{"id", id},
                {"user_id", event.user},
                {"session_id", event.session},
                {"message_id", event.message},
                {"direction", verdict.direction},
                {"action", verdict.action},
                {"severity", verdict.severity},
                {"category", verdict.category},
                {"rule", verdict.rule},
                {"mode", verdict.mode},
                {"span_start", static_cast<int>(verdict.start)},
                {"span_length", static_cast<int>(verdict.length)},
                {"text", m_cipher.seal(event.text, contextOf(id))},
                {"now", db.now()}});
    return id;
}

Page<ModerationEvent> ModerationStore::events(db::Session &db, const ModerationFilter &filter,
                                              const PageRequest &page) const
{
    const Cursor after = parseCursor(page.cursor);
    const auto rows = db.rows("moderation.events",
                              {{"user_id", filter.user},
                               {"action", filter.action},
                               {"category", filter.category},
                               {"status", filter.status},
                               {"from", filter.from},
                               {"to", filter.to},
                               {"before_time", after.time},
                               {"before_id", after.id},
                               {"limit", page.limit + 1}});
    Page<ModerationEvent> answer;
    answer.limit = page.limit;
    answer.hasMore = rows.size() > page.limit;
    for (const db::Row &row : rows.first(std::min<qsizetype>(rows.size(), page.limit)))
        answer.items.append(eventOf(row));
    if (answer.hasMore)
        answer.nextCursor = cursorAfter(answer.items.last());
    return answer;
}

Result<ModerationEvent> ModerationStore::find(db::Session &db, const ModerationEventId &id) const
{
    const auto row = db.first("moderation.find", {{"id", id}});
    if (!row)
        return noSuchEvent();
    return eventOf(*row);
}

Result<QString> ModerationStore::text(db::Session &db, const ModerationEventId &id) const
{
    const auto row = db.first("moderation.text", {{"id", id}});
    const auto text = row ? m_cipher.open(row->bytes("text_sealed"), contextOf(id)) : std::nullopt;
    if (!text)
        return refuse(ErrorCode::NotFound, QStringLiteral("The text is not there any more."));
    return *text;
}

Result<ModerationEvent> ModerationStore::setStatus(db::Session &db, const ModerationEventId &id,
                                                   EventStatus status) const
{
    if (db.execute("moderation.set_status", {{"id", id}, {"status", status}, {"now", db.now()}}) == 0)
        return noSuchEvent();
    return find(db, id);
}

} // namespace companion::moderation
