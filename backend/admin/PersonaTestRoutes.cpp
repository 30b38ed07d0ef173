#include "admin/PersonaTestRoutes.h"

#include "chat/Prompt.h"
#include "common/models/Admin.h"
#include "moderation/PromptGuard.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QPointer>

namespace companion::admin {

using namespace Qt::StringLiterals;

namespace {

struct PersonaTestAnswer
{
    QString object = u"persona_test"_s;
    QString content;
    QString finishReason;
    PersonaTestResult personaTest;

    static constexpr const char *modelName = "PersonaTestAnswer";
    static constexpr auto fields()
    {
        using A = PersonaTestAnswer;
        return std::tuple(field("object", &A::object), field("content", &A::content),
                          field("finish_reason", &A::finishReason), field("persona_test", &A::personaTest));
    }
};

Verdict shown(const moderation::Verdict &verdict)
{
    return {toText(verdict.direction), toText(verdict.action), verdict.category, verdict.rule};
}

QJsonObject promptJson(const QList<llm::ChatMessage> &prompt)
{
    static constexpr std::array names{"system", "user", "assistant"};
    QJsonArray messages;
    for (const llm::ChatMessage &message : prompt)
        messages.append(QJsonObject{{u"role"_s, QString::fromLatin1(names.at(static_cast<size_t>(message.role)))},
                                    {u"content"_s, message.content}});
    return {{u"messages"_s, messages}};
}

// One turn with a persona that is being tested: the same prompt, screens and model as a user's, but no session, no hold
// and no charge. Loop thread; deletes itself at its end.
class PersonaTest : public QObject
{
public:
    PersonaTest(const api::Api &api, std::shared_ptr<const api::Endpoint> endpoint, PersonaTestParts parts,
                http::Exchange exchange, api::Entry entry)
        : m_api(api)
        , m_endpoint(std::move(endpoint))
        , m_parts(std::move(parts))
        , m_exchange(std::move(exchange))
        , m_entry(std::move(entry))
    {
        m_clock.start();
    }

    void begin()
    {
        const auto body = api::readJsonObject(m_exchange.request());
        const auto request = body ? fromJson<PersonaTestRequest>(*body) : std::unexpected(body.error());
        if (!request)
            return fail(request.error());
        if (request->messages.last().role != u"user")
            return fail({.code = ErrorCode::Invalid,
                         .detail = u"The last message must be the user's."_s,
                         .errors = {{u"/messages"_s, u"must end with the user's message"_s}}});
        m_request = *request;
        m_mode = *fromText<Mode>(m_request.mode);
        m_parts.operators.act(
            this,
            [characters = &m_parts.characters, request = m_request](db::Session &db) {
                return request.version ? characters->personaFor(db, request.characterId, *request.version)
                                       : characters->draft(db, request.characterId);
            },
            &PersonaTest::loaded);
    }

private:
    void loaded(Result<characters::VersionedPersona> persona)
    {
        if (!persona)
            return fail(persona.error());
        if (!persona->offers(m_mode))
            return fail({ErrorCode::ModeUnavailable, u"This persona has no spicy mode."_s});
        m_parts.price.multiplier = persona->persona.priceMultiplier;
        const QString text = m_request.messages.last().content;
        m_prompt = chat::buildPrompt(
            {.persona = persona->persona, .mode = m_mode, .userName = {}, .before = before(), .message = text});
        if (m_request.stream && !openStream())
            return deleteLater(); // the tester has left: nobody pays for a reply that nobody reads
        const auto verdict = m_parts.screen->screen({text, moderation::Direction::Input, m_mode, {}});
        m_verdicts.append(shown(verdict));
        if (verdict.isBlocked())
            return finish({.text = {}, .finishReason = u"content_filter"_s, .model = m_parts.model.name()});
        if (verdict.isCrisis()) {
            relay(m_parts.helpLines->answer(std::nullopt, u"en"_s).text);
            return finish({.text = m_shown, .finishReason = u"stop"_s, .model = m_parts.model.name()});
        }
        generate(persona->persona.name);
    }

    QList<llm::ChatMessage> before() const
    {
        using Role = llm::ChatMessage::Role;
        QList<llm::ChatMessage> messages;
        for (const PersonaTestTurn &turn : m_request.messages.first(m_request.messages.size() - 1))
            messages.append({turn.role == u"user" ? Role::User : Role::Assistant, turn.content});
        return messages;
    }

    QStringList saidByTester() const
    {
        QStringList texts;
        for (const PersonaTestTurn &turn : m_request.messages)
            if (turn.role == u"user")
                texts.append(turn.content);
        return texts;
    }

    void generate(const QString &personaName)
    {
        const auto guard = std::make_shared<moderation::PromptGuard>(m_parts.screen, m_prompt.first().content);
        m_screen = std::make_unique<moderation::OutputScreen>(guard, m_mode, saidByTester());
        m_generation = m_parts.model.start({.model = m_mode == Mode::Spicy ? m_parts.spicyModel : QString(),
                                            .messages = m_prompt,
                                            .maxTokens = m_request.maxTokens,
                                            .temperature = m_request.temperature,
                                            .endUser = m_entry.claims.user.toString(),
                                            .personaName = personaName});
        connect(m_generation, &llm::Generation::text, this,
                [this](const QString &delta) { show(m_screen->feed(delta)); });
        connect(m_generation, &llm::Generation::finished, this, &PersonaTest::generated);
    }

    void show(const moderation::Release &release)
    {
        relay(release.text);
        if (release.hit && m_verdicts.size() < 2) {
            m_verdicts.append(shown(*release.hit));
            m_generation->stop();
        }
    }

    void generated(const Result<llm::Completion> &completion)
    {
        if (!completion)
            return fail(completion.error());
        show(m_screen->finish());
        if (m_verdicts.size() < 2)
            m_verdicts.append({u"output"_s, u"allow"_s, {}, {}});
        finish(*completion);
    }

    bool openStream()
    {
        m_stream = m_exchange.openStream(m_entry.headers);
        // Who stops or leaves a test stops the model as well.
        if (m_stream)
            connect(m_stream, &http::EventStream::gone, this, [this] {
                if (m_generation)
                    m_generation->stop();
            });
        return m_stream;
    }

    void relay(const QString &text)
    {
        if (text.isEmpty())
            return;
        m_shown += text;
        send({{u"delta"_s, QJsonObject{{u"content"_s, text}}}, {u"finish_reason"_s, QJsonValue::Null}}, {});
    }

    void send(const QJsonObject &choice, const QJsonObject &more)
    {
        if (!m_stream)
            return;
        QJsonObject chunk = more;
        QJsonObject first = choice;
        first.insert(u"index"_s, 0);
        chunk.insert(u"object"_s, u"chat.completion.chunk"_s);
        chunk.insert(u"choices"_s, QJsonArray{first});
        m_stream->send(QJsonDocument(chunk).toJson(QJsonDocument::Compact));
    }

    void finish(const llm::Completion &completion)
    {
        PersonaTestResult result;
        result.model = completion.model;
        result.prompt = promptJson(m_prompt);
        result.promptTokens = completion.usage.promptTokens;
        result.completionTokens = completion.usage.completionTokens;
        result.totalTokens = completion.usage.totalTokens;
        if (completion.usage.totalTokens > 0)
            result.price = billing::priceOf(completion.usage.totalTokens, m_parts.price);
        result.costUsd = completion.cost.value_or(CostUsd()).toString();
        result.firstToken_ms = completion.firstToken_ms;
        result.total_ms = static_cast<int>(m_clock.elapsed());
        result.verdicts = m_verdicts;
        deleteLater();
        if (!m_request.stream)
            return m_api.answer(m_exchange, *m_endpoint,
                                api::ok(PersonaTestAnswer{.content = m_shown,
                                                          .finishReason = completion.finishReason,
                                                          .personaTest = result}),
                                m_entry.headers);
        send({{u"delta"_s, QJsonObject()}, {u"finish_reason"_s, completion.finishReason}},
             {{u"persona_test"_s, toJson(result)}});
        if (m_stream) {
            m_stream->send("[DONE]");
            m_stream->finish();
        }
    }

    void fail(const Refusal &refusal)
    {
        deleteLater();
        if (m_stream) {
            m_stream->send(m_endpoint->problem(refusal, m_exchange.request().id).body, {}, "error");
            return m_stream->finish();
        }
        m_api.refuse(m_exchange, *m_endpoint, refusal, m_entry.headers);
    }

    const api::Api &m_api;
    const std::shared_ptr<const api::Endpoint> m_endpoint;
    PersonaTestParts m_parts;
    http::Exchange m_exchange;
    api::Entry m_entry;
    PersonaTestRequest m_request;
    Mode m_mode = Mode::Normal;
    QList<llm::ChatMessage> m_prompt;
    std::unique_ptr<moderation::OutputScreen> m_screen;
    QPointer<llm::Generation> m_generation;
    QPointer<http::EventStream> m_stream;
    QList<Verdict> m_verdicts;
    QString m_shown;
    QElapsedTimer m_clock;
};

// Text as it comes, then the figures, then [DONE]; or a problem as `event: error`.
api::Answer testStream()
{
    const QJsonObject text{{u"type"_s, u"string"_s}};
    const QJsonObject finish{{u"type"_s, QJsonArray{u"string"_s, u"null"_s}}};
    const QJsonObject delta{{u"type"_s, u"object"_s}, {u"properties"_s, QJsonObject{{u"content"_s, text}}}};
    const QJsonObject choice{
        {u"type"_s, u"object"_s},
        {u"properties"_s,
         QJsonObject{{u"index"_s, QJsonObject{{u"const"_s, 0}}}, {u"delta"_s, delta}, {u"finish_reason"_s, finish}}},
        {u"required"_s, QJsonArray{u"index"_s, u"delta"_s, u"finish_reason"_s}}};
    const QJsonObject chunk{{u"title"_s, u"PersonaTestChunk"_s},
                            {u"type"_s, u"object"_s},
                            {u"properties"_s,
                             QJsonObject{{u"object"_s, QJsonObject{{u"const"_s, u"chat.completion.chunk"_s}}},
                                         {u"choices"_s, QJsonObject{{u"type"_s, u"array"_s}, {u"items"_s, choice}}},
                                         {u"persona_test"_s, schemaOf<PersonaTestResult>()}}},
                            {u"required"_s, QJsonArray{u"object"_s, u"choices"_s}}};
    const QJsonObject problem{{u"$ref"_s, u"#/components/schemas/Problem"_s}};
    return {.status = 200,
            .schema = {{u"type"_s, u"string"_s},
                       {u"description"_s, u"Server-sent events; contentSchema describes the data of each"_s}},
            .contentType = "text/event-stream",
            .event = {{u"anyOf"_s, QJsonArray{chunk, problem, QJsonObject{{u"const"_s, u"[DONE]"_s}}}}}};
}

} // namespace

void addPersonaTestRoutes(api::Api &api, const PersonaTestParts &parts)
{
    const auto endpoint = std::make_shared<api::Endpoint>(api::Endpoint{
        .method = http::Method::Post,
        .path = u"/api/v1/admin/persona-tests"_s,
        .tag = u"Admin"_s,
        .summary = u"Talk to a draft or a version of a persona; billed to nobody"_s,
        .access = api::Access::operators({Role::Qa}),
        .body = schemaOf<PersonaTestRequest>(),
        .answers = {api::answer<PersonaTestAnswer>(), testStream()},
        .refusals = {ErrorCode::NotFound, ErrorCode::ModeUnavailable, ErrorCode::ModelFailed, ErrorCode::ModelTimeout},
    });
    api.onLoop(*endpoint, [&api, endpoint, parts](http::Exchange exchange, api::Entry entry) {
        (new PersonaTest(api, endpoint, parts, exchange, entry))->begin();
    });
}

} // namespace companion::admin
