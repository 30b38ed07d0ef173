#include "rights/OwnData.h"

namespace companion::rights {

namespace {

constexpr int rowsAtATime = 500;
constexpr const char *books = "The law asks for the books to be kept; the rows hold the account's id and no name.";

constexpr TableData tables[] = {
    {"profile", "rights.export_profile", "rights.erase_profile", ""},
    {"age_verifications", "rights.export_age_verifications", "rights.erase_age_verifications", ""},
    {"devices", "rights.export_devices", "rights.erase_devices", ""},
    {"api_keys", "rights.export_api_keys", "rights.erase_api_keys", ""},
    {"access_keys", "rights.export_access_keys", "rights.erase_access_keys", ""},
    {"sign_ins", "rights.export_sign_ins", "rights.erase_sign_ins", ""},
    {"kept_answers", nullptr, "rights.erase_kept_answers", ""},
    {"feedback", "rights.export_feedback", "rights.erase_feedback", ""},
    {"messages", "rights.export_messages", "rights.erase_messages", ""},
    {"turns", "rights.export_turns", "rights.erase_turns", ""},
    {"sessions", "rights.export_sessions", "rights.erase_sessions", ""},
    {"moderation", "rights.export_moderation", "rights.erase_moderation",
     "That and when something was blocked, without its text, so that the rules can be answered for."},
    {"notices", "rights.export_notices", "rights.erase_notices", ""},
    {"disclosures", "rights.export_disclosures", nullptr,
     "That and when it was said that this is an AI, as its proof; nothing that the user wrote."},
    {"consents", "rights.export_consents", nullptr, "What was agreed to, as its proof, for the time of retention."},
    {"store_consents", "rights.export_store_consents", "rights.erase_store_consents", ""},
    {"wallet", "rights.export_wallet", nullptr, books},
    {"lots", "rights.export_lots", nullptr, books},
    {"transactions", "rights.export_transactions", "rights.erase_transaction_texts", books},
    {"payments", "rights.export_payments", nullptr, books},
    {"disputes", "rights.export_disputes", nullptr, books},
    {"subscriptions", "rights.export_subscriptions", nullptr, books},
    {"subscription_history", "rights.export_subscription_history", nullptr, books},
    {"granted_tiers", "rights.export_granted_tiers", nullptr, books},
    {"provider_customers", "rights.export_provider_customers", nullptr,
     "Under which number a payment provider knows the account, so that a refund or dispute finds it."},
};

} // namespace

void TablePersonalData::exportTo(const Write &write, db::Session &db, const UserId &user) const
{
    if (!m_data.exported)
        return;
    std::optional<QString> at;
    std::optional<QString> key;
    for (qsizetype count = rowsAtATime; count == rowsAtATime;) {
        const auto rows =
            db.rows(m_data.exported, {{"user_id", user}, {"at", at}, {"key", key}, {"limit", rowsAtATime}});
        for (const auto &row : rows)
            write(row.text("line").toUtf8());
        count = rows.size();
        if (count > 0) {
            at = rows.last().text("at");
            key = rows.last().text("key");
        }
    }
}

qint64 TablePersonalData::erase(db::Session &db, const UserId &user) const
{
    return m_data.erased ? db.one(m_data.erased, {{"user_id", user}, {"now", db.now()}}).integer("count") : 0;
}

PersonalDataList ownPersonalData()
{
    PersonalDataList all;
    for (const TableData &table : tables)
        all.push_back(std::make_unique<TablePersonalData>(table));
    return all;
}

} // namespace companion::rights
