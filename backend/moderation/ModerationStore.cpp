#include "moderation/ModerationStore.h"

#include "common/Ensure.h"
#include "common/describe/Json.h"

#include <QMap>

#include <algorithm>

namespace companion::moderation {

namespace {

ModerationRecord recordOf(const db::Row &row)
{
    return {.id = row.id<ModerationEventId>("id"),
            .user = row.id<UserId>("user_id"),
            .session = row.maybeId<SessionId>("session_id"),
            .message = row.maybeId<MessageId>("message_id"),
            .direction = row.text("direction"),
            .action = row.text("action"),
            .severity = row.text("severity"),
            .stage = row.text("stage"),
            .score = row.isNull("score") ? std::nullopt : std::optional(row.number("score")),
            .category = row.text("category"),
            .rule = row.text("rule"),
            .mode = row.value<Mode>("mode"),
            .spanStart = static_cast<int>(row.integer("span_start")),
            .spanLength = static_cast<int>(row.integer("span_length")),
            .hasText = row.boolean("has_text"),
            .status = row.text("status"),
            .act = row.maybeText("act"),
            .actedBy = row.maybeId<UserId>("acted_by"),
            .actReason = row.maybeText("act_reason"),
            .createdAt = row.time("created_at")};
}

EventStatus statusAfter(EventAct act)
{
    switch (act) {
    case EventAct::Dismiss:
        return EventStatus::Dismissed;
    case EventAct::Escalate:
        return EventStatus::Escalated;
    case EventAct::Warn:
    case EventAct::Suspend:
        break;
    }
    return EventStatus::Actioned;
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

QString cursorAfter(const ModerationRecord &event)
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
                {"stage", verdict.stage},
                {"score", verdict.score ? std::optional(static_cast<double>(*verdict.score)) : std::nullopt},
                {"text", m_cipher.seal(event.text, contextOf(id))},
                {"now", db.now()}});
    return id;
}

Page<ModerationRecord> ModerationStore::events(db::Session &db, const ModerationFilter &filter,
                                               const PageRequest &page) const
{
    const Cursor after = parseCursor(page.cursor);
    const auto rows = db.rows("moderation.events",
                              {{"user_id", filter.user},
                               {"action", filter.action},
                               {"severity", filter.severity},
                               {"category", filter.category},
                               {"status", filter.status},
                               {"from", filter.from},
                               {"to", filter.to},
                               {"before_time", after.time},
                               {"before_id", after.id},
                               {"limit", page.limit + 1}});
    Page<ModerationRecord> answer;
    answer.limit = page.limit;
    answer.hasMore = rows.size() > page.limit;
    for (const db::Row &row : rows.first(std::min<qsizetype>(rows.size(), page.limit)))
        answer.items.append(recordOf(row));
    if (answer.hasMore)
        answer.nextCursor = cursorAfter(answer.items.last());
    return answer;
}

Result<ModerationRecord> ModerationStore::find(db::Session &db, const ModerationEventId &id) const
{
    const auto row = db.first("moderation.find", {{"id", id}});
    if (!row)
        return noSuchEvent();
    return recordOf(*row);
}

Result<QString> ModerationStore::text(db::Session &db, const ModerationEventId &id) const
{
    const auto row = db.first("moderation.text", {{"id", id}});
    const auto text = row ? m_cipher.open(row->bytes("text_sealed"), contextOf(id)) : std::nullopt;
    if (!text)
        return refuse(ErrorCode::NotFound, QStringLiteral("The text is not there any more."));
    return *text;
}

Result<ModerationRecord> ModerationStore::actOn(db::Session &db, const ModerationEventId &id, EventAct act,
                                                const UserId &actor, const QString &reason) const
{
    const auto done = db.execute("moderation.act_on",
                                 {{"id", id},
                                  {"status", statusAfter(act)},
                                  {"act", act},
                                  {"actor", actor},
                                  {"reason", reason},
                                  {"now", db.now()}});
    return done == 0 ? noSuchEvent() : find(db, id);
}

QList<RuleRecount> ModerationStore::recount(db::Session &db, const QDateTime &since, int limit,
                                            const std::function<bool(const Text &)> &isStopped) const
{
    QMap<QString, RuleRecount> byRule;
    const auto rows = db.rows("moderation.recent_texts", {{"since", since}, {"limit", limit}});
    for (const db::Row &row : rows) {
        const auto text = m_cipher.open(row.bytes("text_sealed"), contextOf(row.id<ModerationEventId>("id")));
        if (!text)
            continue;
        const Text seen{*text, row.value<Direction>("direction"), row.value<Mode>("mode"), {}};
        RuleRecount &count = byRule[row.text("rule")];
        count.rule = row.text("rule");
        ++count.records;
        ++(isStopped(seen) ? count.same : count.freed);
    }
    return byRule.values();
}

int ModerationStore::dropTexts(db::Session &db, const QDateTime &before, int batch) const
{
    return static_cast<int>(db.one("moderation.drop_texts", {{"before", before}, {"batch", batch}}).integer("dropped"));
}

QList<CrisisCount> ModerationStore::crisisCounts(db::Session &db, int year) const
{
    QList<CrisisCount> counts;
    const auto rows = db.rows("moderation.crisis_counts", {{"year", year}});
    for (const db::Row &row : rows)
        counts.append({row.text("month"), row.text("region"), row.text("kind"), row.integer("count")});
    return counts;
}

Page<DisclosureRecord> ModerationStore::disclosures(db::Session &db, const std::optional<UserId> &user,
                                                    const std::optional<SessionId> &session,
                                                    const PageRequest &page) const
{
    const auto rows =
        db.rows("moderation.disclosures",
                {{"user_id", user}, {"session_id", session}, {"limit", page.limit + 1}, {"offset", page.offset}});
    Page<DisclosureRecord> answer;
    answer.limit = page.limit;
    answer.offset = page.offset;
    answer.hasMore = rows.size() > page.limit;
    for (const db::Row &row : rows.first(std::min<qsizetype>(rows.size(), page.limit)))
        answer.items.append({row.text("id"), row.id<UserId>("user_id"), row.maybeId<SessionId>("session_id"),
                             row.id<MessageId>("message_id"), row.text("reason"), row.maybeText("region"),
                             row.text("text"), row.time("shown_at")});
    return answer;
}

void ModerationStore::warn(db::Session &db, const UserId &user, const QString &text) const
{
    db.execute("moderation.warn", {{"user_id", user}, {"text", text}, {"now", db.now()}});
}

int ModerationStore::announcePersonaChange(db::Session &db, const CharacterId &character, const QString &text,
                                           const QDateTime &since) const
{
    return static_cast<int>(
        db.execute("moderation.announce_persona_change",
                   {{"character_id", character}, {"text", text}, {"since", since}, {"now", db.now()}}));
}

QList<UserNotice> ModerationStore::notices(db::Session &db, const UserId &user) const
{
    QList<UserNotice> notices;
    const auto rows = db.rows("moderation.notices", {{"user_id", user}});
    for (const db::Row &row : rows)
        notices.append(
            {row.text("id"), row.text("kind"), row.text("text"), row.time("created_at"), row.maybeTime("seen_at")});
    return notices;
}

bool ModerationStore::seeNotice(db::Session &db, const UserId &user, const QString &id) const
{
    return db.execute("moderation.see_notice", {{"id", id}, {"user_id", user}, {"now", db.now()}}) > 0;
}

} // namespace companion::moderation
