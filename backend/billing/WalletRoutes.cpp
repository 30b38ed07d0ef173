#include "api/Api.h"
#include "billing/MarketRoutes.h"
#include "billing/TierStore.h"
#include "ledger/Ledger.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

void addWalletRoutes(api::Api &api, const ledger::Ledger &ledger, const TierStore &tiers)
{
    api.act({.path = u"/api/v1/wallet/balance"_s,
             .tag = u"Wallet"_s,
             .summary = u"The wallet by bucket and lot"_s,
             .answers = {api::answer<Balance>()}},
            [&ledger, &tiers](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto balance =
                    ledger.balance(db, call.user(), tiers.terms(db, call.account().tier()).dailyCredits);
                return balance ? Result<http::Reply>(api::ok(*balance)) : std::unexpected(balance.error());
            });

    api.act({.path = u"/api/v1/wallet/transactions"_s,
             .tag = u"Wallet"_s,
             .summary = u"Every change of the wallet, newest first"_s,
             .answers = {api::answer<Page<Transaction>>()},
             .query = {{"kind", "Only this kind", JsonType<TransactionKind>::schema({})},
                       {"from", "From this time", JsonType<QDateTime>::schema({})},
                       {"to", "Before this time", JsonType<QDateTime>::schema({})}},
             .paged = true,
             .cursor = true},
            [&ledger](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto page = call.page();
                const auto kind = page ? call.queryValue<TransactionKind>(u"kind"_s) : std::unexpected(page.error());
                const auto from = kind ? call.queryTime(u"from"_s) : std::unexpected(kind.error());
                const auto to = from ? call.queryTime(u"to"_s) : std::unexpected(from.error());
                if (!to)
                    return std::unexpected(to.error());
                const auto list = ledger.transactions(db, {call.user(), *kind, *from, *to}, *page);
                return list ? Result<http::Reply>(api::ok(*list)) : std::unexpected(list.error());
            });
}

} // namespace companion::billing
