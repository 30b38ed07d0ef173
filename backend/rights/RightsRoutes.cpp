#include "rights/RightsRoutes.h"

#include "rights/Consents.h"

namespace companion::rights {

using namespace Qt::StringLiterals;

namespace {

using File = std::shared_ptr<SpoolFile>;

void sendZip(const http::Exchange &exchange, const api::Entry &entry, const File &file)
{
    http::Reply reply{.status = 200, .contentType = "application/zip"};
    for (const auto &[name, value] : entry.headers.all())
        reply.with(name, value);
    reply.with("Cache-Control", "no-store").with("Content-Disposition", "attachment; filename=\"export.zip\"");
    http::Exchange(exchange).sendFile(std::move(reply), file->descriptor(), file->size(), file);
}

void addExport(api::Api &api, const RightsParts &parts)
{
    const api::Endpoint endpoint{
        .path = u"/api/v1/auth/export"_s,
        .tag = u"Profile"_s,
        .summary = u"Everything that is kept about you, as one zip of JSON files"_s,
        .answers = {{.status = 200,
                     .contentType = "application/zip",
                     .headers = {"Cache-Control", "Content-Disposition"}}},
        .refusals = {ErrorCode::Conflict},
        .description =
            u"One file for each kind of data, a JSON array each; about.json counts them. It is made anew for "
            "each call, which may take a while; one at a time (409)."_s};
    api.onLoop(endpoint, [=, &api](const http::Exchange &exchange, const api::Entry &entry) {
        parts.bulk.act(
            &api,
            [parts, claims = entry.claims](db::Session &db) -> Result<File> {
                const auto account = parts.accounts.account(db, claims, db.now());
                return account ? parts.exports.make(db, account->id()) : std::unexpected(account.error());
            },
            [=, &api](const Result<File> &file) {
                file ? sendZip(exchange, entry, *file) : api.refuse(exchange, endpoint, file.error(), entry.headers);
            });
    });
}

// A provider that gave no answer may go on charging: then nothing is erased yet. One that cannot cancel for us (a
// store), or is not set up here any more, is named in the receipt.
bool isInTheWay(const Refusal &refusal)
{
    return refusal.code == ErrorCode::ProviderFailed || refusal.code == ErrorCode::Overloaded
        || refusal.code == ErrorCode::NotReady || refusal.code == ErrorCode::ShuttingDown;
}

// may it be? (act) → the provider cancels → all goes (act)
class Erasing
{
public:
    Erasing(api::Api &api, const RightsParts &parts, const api::Endpoint &endpoint, const http::Exchange &exchange,
            const api::Entry &entry)
        : m_api(api)
        , m_parts(parts)
        , m_endpoint(endpoint)
        , m_exchange(exchange)
        , m_entry(entry)
    {
    }
    static void begin(const std::shared_ptr<Erasing> &self)
    {
        self->m_parts.bulk.act(
            &self->m_api,
            [erasures = &self->m_parts.erasures, claims = self->m_entry.claims,
             request = self->m_exchange.request()](db::Session &db) -> Result<ErasureService::Outlook> {
                const auto outlook = erasures->mayErase(db, claims);
                const auto fresh = outlook
                    ? api::Call(request, std::nullopt, claims).checkIfMatch(QByteArray::number(outlook->version))
                    : Result<void>();
                return fresh ? outlook : std::unexpected(fresh.error());
            },
            [self](const Result<ErasureService::Outlook> &outlook) {
                if (!outlook)
                    return self->refuse(outlook.error());
                const auto live = outlook->subscribedAt;
                if (!live)
                    return erase(self, std::nullopt);
                self->m_parts.cancelSubscription(self->m_entry.claims.user,
                                                 [self, live](const Result<void> &cancelled) {
                                                     if (!cancelled && isInTheWay(cancelled.error()))
                                                         return self->refuse(cancelled.error());
                                                     erase(self, cancelled ? std::nullopt : live);
                                                 });
            });
    }

private:
    static void erase(const std::shared_ptr<Erasing> &self, std::optional<Provider> stillRuns)
    {
        self->m_parts.bulk.act(
            &self->m_api,
            [erasures = &self->m_parts.erasures, claims = self->m_entry.claims, stillRuns,
             id = QString::fromLatin1(self->m_exchange.request().id)](db::Session &db) {
                return erasures->erase(db, claims, stillRuns, id);
            },
            [self](const Result<ErasureReceipt> &receipt) {
                if (!receipt)
                    return self->refuse(receipt.error());
                self->m_api.answer(self->m_exchange, self->m_endpoint,
                                   api::ok(*receipt).with("Cache-Control", "no-store"), self->m_entry.headers);
            });
    }
    void refuse(const Refusal &refusal) const { m_api.refuse(m_exchange, m_endpoint, refusal, m_entry.headers); }

    api::Api &m_api;
    const RightsParts m_parts;
    const api::Endpoint m_endpoint;
    const http::Exchange m_exchange;
    const api::Entry m_entry;
};

void addErasure(api::Api &api, const RightsParts &parts)
{
    const api::Endpoint endpoint{
        .method = http::Method::Delete,
        .path = u"/api/v1/auth/me"_s,
        .tag = u"Profile"_s,
        .summary = u"Erase your account: chats, memories and profile go at once, the books keep no name"_s,
        .answers = {api::answer<ErasureReceipt>()},
        .refusals = {ErrorCode::Conflict, ErrorCode::TurnInProgress, ErrorCode::ProviderFailed},
        .description =
            u"A running subscription is cancelled first. 409 while a reply is being made, and for operators' "
            "accounts. Credit that is left is lost. The answer is the receipt; it is not told again."_s,
        .ifMatchRequired = true};
    api.onLoop(endpoint, [=, &api](const http::Exchange &exchange, const api::Entry &entry) {
        Erasing::begin(std::make_shared<Erasing>(api, parts, endpoint, exchange, entry));
    });
}

void addConsents(api::Api &api)
{
    const QString path = u"/api/v1/auth/consents"_s;
    api.act({.path = path,
             .tag = u"Profile"_s,
             .summary = u"What you agreed to, and when: the newest first"_s,
             .answers = {api::answer<Page<Consent>>()},
             .paged = true},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto page = call.page();
                if (!page)
                    return std::unexpected(page.error());
                return api::ok(Consents().list(db, call.user(), *page));
            });
    api.act({.method = http::Method::Post,
             .path = path,
             .tag = u"Profile"_s,
             .summary = u"Agree to a text, or take it back"_s,
             .body = schemaOf<ConsentRequest>(),
             .answers = {api::answer<Consent>(201)}},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto request = call.body<ConsentRequest>();
                if (!request)
                    return std::unexpected(request.error());
                return api::created(Consents().add(db, call.user(), *request));
            });
}

} // namespace

void addRightsRoutes(api::Api &api, const RightsParts &parts)
{
    addExport(api, parts);
    addErasure(api, parts);
    addConsents(api);
}

} // namespace companion::rights
