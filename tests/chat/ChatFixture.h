#pragma once

#include "app/Features.h"
#include "support/TestDatabase.h"

#include <QTemporaryDir>
#include <QTest>

namespace companion::test {

using namespace Qt::StringLiterals;

// The features of a backend without its server, the sample characters, and one user with one session.
class ChatFixture
{
protected:
    void makeFeatures()
    {
        m_db = std::make_unique<TestDatabase>();
        m_data = std::make_unique<QTemporaryDir>();
        auto configuration = app::loadConfiguration({}, {{u"COMPANION_DATA"_s, m_data->path()}}).configuration;
        auto made = app::Features::make(configuration, m_db->clock());
        ensure(made.has_value(), made ? "" : qPrintable(made.error()));
        m_features = std::move(*made);
        db::Transaction transaction(m_db->operators());
        characters::installSampleCharacters(m_db->operators());
        transaction.commit();
        m_user = newUser(u"ada@example.com"_s);
        m_session = openSession(m_user, u"aria"_s);
    }

    chat::ChatService &chat() { return *m_features->chat; }

    static identity::TokenClaims claimsOf(const UserId &user)
    {
        return {.user = user, .device = {}, .roles = {Role::User}, .expiresAt = {}};
    }

    UserId newUser(const QString &email)
    {
        const auto made = m_features->accounts.create(m_db->operators(), {.displayName = u"Ada"_s, .email = email},
                                                      m_db->clock().now());
        return made->id();
    }

    identity::Account account(const UserId &user)
    {
        return *m_features->accounts.account(m_db->operators(), user, m_db->clock().now());
    }

    SessionId openSession(const UserId &user, const QString &character, Mode mode = Mode::Normal)
    {
        db::Transaction transaction(m_db->app(), user);
        const auto session = chat().open(m_db->app(), account(user), {.character = character, .mode = mode});
        transaction.commit();
        return session->id;
    }

    chat::TurnOrder order(const QString &text, int maxTokens = 512, const QString &key = {})
    {
        return {.claims = claimsOf(m_user),
                .session = m_session,
                .character = {},
                .text = text,
                .maxTokens = maxTokens,
                .route = u"test"_s,
                .idempotencyKey = key,
                .fingerprint = text.toUtf8()};
    }

    static llm::Completion completion(int totalTokens)
    {
        return {.text = u"A reply."_s,
                .finishReason = u"stop"_s,
                .usage = {totalTokens - 10, 10, totalTokens},
                .model = u"test"_s};
    }

    void verifyBooks()
    {
        for (const auto &finding : m_features->ledger.audit(m_db->operators()))
            QFAIL(qPrintable(finding.rule + u": " + finding.detail));
    }

    std::unique_ptr<TestDatabase> m_db;
    std::unique_ptr<QTemporaryDir> m_data;
    std::unique_ptr<app::Features> m_features;
    UserId m_user;
    SessionId m_session;
};

} // namespace companion::test
