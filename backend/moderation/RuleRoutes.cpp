#include "common/models/Admin.h"
#include "moderation/ModerationRoutes.h"

namespace companion::moderation {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> readers{Role::Qa};
const QList<Role> admins{}; // an admin may whatever any other role may
constexpr int recountLimit = 2'000;

api::Endpoint ruleEndpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin/moderation/rules"_s + path,
            .tag = u"Admin: moderation"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

QByteArray etagOf(qint64 edition)
{
    return "d" + QByteArray::number(edition);
}

http::Reply reply(const RuleSets &rules, db::Session &db, const RuleSets::Stored &set, int status = 200)
{
    return api::ok(rules.shown(db, set), status).with("ETag", '"' + etagOf(set.edition) + '"');
}

void log(const ModerationParts &parts, const api::Call &call, db::Session &db, const QString &act,
         const QString &reason, const RuleSets::Stored &set)
{
    parts.audit.append(db,
                       {.actor = call.user().toString(),
                        .act = act,
                        .target = u"moderation_rules:"_s + QString::number(set.version),
                        .reason = reason,
                        .after = QJsonObject{{u"version"_s, set.version},
                                             {u"files"_s, QJsonArray::fromStringList(set.files.keys())}},
                        .requestId = QString::fromLatin1(call.request().id)});
}

RuleVerdict verdictOf(const Verdict &verdict)
{
    return {toText(verdict.action), verdict.category, verdict.rule, static_cast<int>(verdict.start),
            static_cast<int>(verdict.length)};
}

// The draft beside what is live, on the texts of the request, on the harmless texts of all rule files, on late records.
RuleTestResult compare(const ModerationParts &parts, db::Session &db, const RuleTestOrder &order, const RuleBook &live,
                       const RuleBook &draft)
{
    const Classifier *classifier = parts.rules.engine().classifier().get();
    RuleTestResult result;
    for (const RuleTestText &wanted : order.texts) {
        const Text text{wanted.text, *fromText<Direction>(wanted.direction), wanted.mode, wanted.before};
        const Verdict now = Engine::screen(text, live, classifier);
        const Verdict then = Engine::screen(text, draft, classifier);
        result.changed += now.action != then.action;
        result.texts.append({verdictOf(now), verdictOf(then)});
    }
    for (const Rule &rule : live.rules())
        for (const QString &harmless : rule.mustPass) {
            const Text text{harmless, rule.directions.first(), rule.modes.first(), {}};
            ++result.corpusTexts;
            if (Engine::screen(text, draft, nullptr).isStopped() && !Engine::screen(text, live, nullptr).isStopped())
                result.corpusStopped.append(harmless);
        }
    if (order.recentDays > 0)
        result.recent =
            parts.store.recount(db, db.now().addDays(-order.recentDays), recountLimit,
                                [&](const Text &text) { return Engine::screen(text, draft, classifier).isStopped(); });
    return result;
}

void addReading(api::Api &api, const ModerationParts &parts)
{
    auto overview = ruleEndpoint(http::Method::Get, {}, u"The live rules and the versions there were"_s, readers);
    overview.answers = {api::answer<RulesOverview>()};
    api.act(overview, [parts](const api::Call &, db::Session &db) -> Result<http::Reply> {
        return api::ok(parts.rules.overview(db));
    });

    auto draft = ruleEndpoint(http::Method::Get, u"/draft"_s,
                              u"The draft with its mistakes; an empty one where there is none"_s, readers);
    draft.answers = {api::answer<RuleSet>()};
    draft.etag = true;
    api.act(draft, [parts](const api::Call &, db::Session &db) -> Result<http::Reply> {
        if (const auto stored = parts.rules.stored(db, 0))
            return reply(parts.rules, db, *stored);
        return api::ok(RuleSet{.status = u"draft"_s}).with("ETag", '"' + etagOf(0) + '"');
    });

    auto version =
        ruleEndpoint(http::Method::Get, u"/versions/{version}"_s, u"A published version, as it was"_s, readers);
    version.answers = {api::answer<RuleSet>()};
    version.segments = {{"version", "Its number", {{u"type"_s, u"integer"_s}, {u"minimum"_s, 1}}}};
    api.act(version, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const int number = call.request().param(u"version"_s).toInt();
        const auto stored = number > 0 ? parts.rules.stored(db, number) : std::nullopt;
        if (!stored)
            return refuse(ErrorCode::NotFound, u"There is no such rule set."_s);
        return api::ok(parts.rules.shown(db, *stored));
    });
}

void addDrafting(api::Api &api, const ModerationParts &parts)
{
    auto put =
        ruleEndpoint(http::Method::Put, u"/draft"_s, u"Put the draft; it may have mistakes, and is not live"_s, admins);
    put.body = schemaOf<RuleDraft>();
    put.answers = {api::answer<RuleSet>()};
    put.etag = true;
    put.ifMatchRequired = true;
    api.act(put, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<RuleDraft>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto before = parts.rules.stored(db, 0);
        const qint64 edition = before ? before->edition : 0;
        if (const auto matches = call.checkIfMatch(etagOf(edition)); !matches)
            return std::unexpected(matches.error());
        const auto stored = parts.rules.putDraft(db, *wanted, edition, call.user());
        if (!stored)
            return std::unexpected(stored.error());
        log(parts, call, db, u"moderation.rules_draft"_s, wanted->note, *stored);
        return reply(parts.rules, db, *stored);
    });

    auto test =
        ruleEndpoint(http::Method::Post, u"/test"_s,
                     u"How the draft would decide: on texts, on the harmless corpus, on late records"_s, readers);
    test.body = schemaOf<RuleTestOrder>();
    test.answers = {api::answer<RuleTestResult>()};
    test.refusals = {ErrorCode::NotFound};
    api.act(test, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto order = call.body<RuleTestOrder>();
        if (!order)
            return std::unexpected(order.error());
        const auto draft = parts.rules.stored(db, 0);
        if (!draft)
            return refuse(ErrorCode::NotFound, u"There is no draft."_s);
        const auto book = parts.rules.compile(draft->files);
        if (!book) {
            Refusal refusal{ErrorCode::Invalid, u"The draft has mistakes."_s};
            for (const QString &mistake : book.error())
                refusal.errors.append({u"/files"_s, mistake});
            return std::unexpected(refusal);
        }
        return api::ok(compare(parts, db, *order, *parts.rules.engine().rules(), **book));
    });
}

void addPublishing(api::Api &api, const ModerationParts &parts)
{
    auto publish = ruleEndpoint(http::Method::Post, u"/publish"_s,
                                u"Make the draft live, on every instance within seconds; a broken one never"_s, admins);
    publish.body = schemaOf<Reason>();
    publish.answers = {api::answer<RuleSet>(201)};
    publish.refusals = {ErrorCode::NotFound};
    publish.ifMatchRequired = true;
    api.act(publish, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto reason = call.body<Reason>();
        if (!reason)
            return std::unexpected(reason.error());
        const auto draft = parts.rules.stored(db, 0);
        if (!draft)
            return refuse(ErrorCode::NotFound, u"There is no draft."_s);
        if (const auto matches = call.checkIfMatch(etagOf(draft->edition)); !matches)
            return std::unexpected(matches.error());
        const auto live = parts.rules.publish(db, draft->edition, reason->reason, call.user());
        if (!live)
            return std::unexpected(live.error());
        log(parts, call, db, u"moderation.rules_publish"_s, reason->reason, *live);
        if (parts.published)
            parts.published();
        return api::ok(parts.rules.shown(db, *live), 201);
    });

    auto rollback =
        ruleEndpoint(http::Method::Post, u"/rollback"_s,
                     u"Make an earlier version live again, as a new one; 0: the program's own rules"_s, admins);
    rollback.body = schemaOf<RollbackOrder>();
    rollback.answers = {api::answer<RuleSet>(201)};
    rollback.refusals = {ErrorCode::NotFound};
    api.act(rollback, [parts](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<RollbackOrder>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto live = parts.rules.rollback(db, wanted->version, wanted->reason, call.user());
        if (!live)
            return std::unexpected(live.error());
        log(parts, call, db, u"moderation.rules_rollback"_s, wanted->reason, *live);
        if (parts.published)
            parts.published();
        return api::ok(parts.rules.shown(db, *live), 201);
    });
}

} // namespace

void addRuleRoutes(api::Api &api, const ModerationParts &parts)
{
    addReading(api, parts);
    addDrafting(api, parts);
    addPublishing(api, parts);
}

} // namespace companion::moderation
