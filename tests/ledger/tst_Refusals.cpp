#include "LedgerFixture.h"

#include "db/DatabaseError.h"
#include "ledger/Refusals.h"

#include <QRegularExpression>
#include <QTest>

using namespace companion;
using namespace companion::test;

namespace {

struct Row
{
    const char *name;
    const char *call; // of ledger_…; what the capital words stand for is told below
    const char *code; // what it answers
    const char *also = ""; // the later refusal that applies as well, where the row is about precedence
};

// The stage (2026-01-15 12:00 UTC), the same before each row: user U has 10 daily, 20 purchased and 5 bonus; of these
// the hold OPEN reserves 12 (10 daily, 2 purchased). Key "taken" belongs to a grant. Holds CAPTURED (of 1, out of a lot
// of 1), VOIDED and EXPIRED are closed. Transactions: CHAT and its reversal REFUND, GRANT (5 bonus, unspent), SPENT
// (the purchased lot of which OPEN reserves 2), GONE (a grant that was reversed), REFRESH. V is another user with a
// hold THEIRS. RICH has all that a wallet takes; of RICH's are the transactions RICHCHAT, RICHREVERSED (a chat that was
// reversed), RICHEXPIRY and the key "rich". OWES spent what BOUGHT granted, and owes 5 for it as DEBT since key "back"
// took it back. NOBODY is no user.
constexpr Row rows[] = {
    {"hold: done", "hold(U, 'new', 1, LATER, 10, NOW)", "ok"},
    {"hold: of nothing", "hold(U, 'new', 0, LATER, 10, NOW)", "ok"},
    {"hold: negative", "hold(U, 'new', -0.0001, LATER, 10, NOW)", "invalid"},
    {"hold: five places", "hold(U, 'new', 0.00001, LATER, 10, NOW)", "invalid"},
    {"hold: beyond the range", "hold(U, 'new', 1000000000.0001, LATER, 10, NOW)", "invalid"},
    {"hold: beyond the column", "hold(U, 'new', 1e15, LATER, 10, NOW)", "invalid"},
    {"hold: beyond all bounds", "hold(U, 'new', 'Infinity', LATER, 10, NOW)", "invalid"},
    {"hold: not a number", "hold(U, 'new', 'NaN', LATER, 10, NOW)", "invalid"},
    {"hold: no amount", "hold(U, 'new', NULL, LATER, 10, NOW)", "invalid"},
    {"hold: no deadline", "hold(U, 'new', 1, NULL, 10, NOW)", "invalid"},
    {"hold: a deadline for ever", "hold(U, 'new', 1, 'infinity', 10, NOW)", "invalid"},
    {"hold: a deadline now", "hold(U, 'new', 1, NOW, 10, NOW)", "invalid"},
    {"hold: a deadline before all time", "hold(U, 'new', 1, '-infinity', 10, NOW)", "invalid"},
    {"hold: an empty key", "hold(U, '', 1, LATER, 10, NOW)", "invalid"},
    {"hold: no key", "hold(U, NULL, 1, LATER, 10, NOW)", "invalid"},
    {"hold: too long a key", "hold(U, repeat('k', 201), 1, LATER, 10, NOW)", "invalid"},
    {"hold: the longest key", "hold(U, repeat('\u00e4', 200), 1, LATER, 10, NOW)", "ok"},
    {"hold: a negative limit", "hold(U, 'new', 1, LATER, -1, NOW)", "invalid"},
    {"hold: no limit", "hold(U, 'new', 1, LATER, NULL, NOW)", "invalid"},
    {"hold: a limit beyond the column", "hold(U, 'new', 1, LATER, 1e15, NOW)", "invalid"},
    {"hold: no user", "hold(NULL, 'new', 1, LATER, 10, NOW)", "not_found"},
    {"hold: invalid before no such user", "hold(NOBODY, 'new', -1, LATER, 10, NOW)", "invalid", "not_found"},
    {"hold: invalid before a used key", "hold(U, 'taken', -1, LATER, 10, NOW)", "invalid", "key_reused"},
    {"hold: invalid before too little", "hold(U, 'new', 1000, LATER, -1, NOW)", "invalid", "insufficient_credits"},
    {"hold: no such user", "hold(NOBODY, 'new', 1, LATER, 10, NOW)", "not_found"},
    {"hold: no such user before too little", "hold(NOBODY, 'new', 999, LATER, 10, NOW)", "not_found",
     "insufficient_credits"},
    {"hold: the key is another's terms", "hold(U, 'open', 13, LATER, 10, NOW)", "key_reused"},
    {"hold: the key is a grant's", "hold(U, 'taken', 12, LATER, 10, NOW)", "key_reused"},
    {"hold: a used key before too little", "hold(U, 'taken', 1000, LATER, 10, NOW)", "key_reused",
     "insufficient_credits"},
    {"hold: another user's key is free", "hold(V, 'taken', 1, LATER, 10, NOW)", "ok"},
    {"hold: too little", "hold(U, 'new', 23.0001, LATER, 10, NOW)", "insufficient_credits"},
    {"hold: just enough", "hold(U, 'new', 23, LATER, 10, NOW)", "ok"},
    {"hold: a repetition, though too little is left now", "hold(U, 'open', 12, LATER, 10, NOW)", "ok"},
    {"hold: a repetition with another deadline", "hold(U, 'open', 12, LATER + interval '1 day', 10, NOW)", "ok"},
    {"hold: a repetition written otherwise", "hold(U, 'open', 12.000, LATER, 10, NOW)", "ok"},

    {"capture: done", "capture(U, OPEN, 12, 'd', '{}', NOW)", "ok"},
    {"capture: of nothing", "capture(U, OPEN, 0, 'd', '{}', NOW)", "ok"},
    {"capture: negative", "capture(U, OPEN, -1, 'd', '{}', NOW)", "invalid"},
    {"capture: five places", "capture(U, OPEN, 0.00001, 'd', '{}', NOW)", "invalid"},
    {"capture: beyond the column", "capture(U, OPEN, 1e15, 'd', '{}', NOW)", "invalid"},
    {"capture: not a number", "capture(U, OPEN, 'NaN', 'd', '{}', NOW)", "invalid"},
    {"capture: no amount", "capture(U, OPEN, NULL, 'd', '{}', NOW)", "invalid"},
    {"capture: no description", "capture(U, OPEN, 1, NULL, '{}', NOW)", "invalid"},
    {"capture: too long a description", "capture(U, OPEN, 1, repeat('d', 501), '{}', NOW)", "invalid"},
    {"capture: no metadata", "capture(U, OPEN, 1, 'd', NULL, NOW)", "invalid"},
    {"capture: metadata that is no object", "capture(U, OPEN, 1, 'd', '[]', NOW)", "invalid"},
    {"capture: invalid before no such hold", "capture(U, NOBODY, -1, 'd', '{}', NOW)", "invalid", "not_found"},
    {"capture: invalid before captured", "capture(U, CAPTURED, -1, 'd', '{}', NOW)", "invalid", "hold_captured"},
    {"capture: invalid before voided", "capture(U, VOIDED, -1, 'd', '{}', NOW)", "invalid", "hold_voided"},
    {"capture: invalid before expired", "capture(U, EXPIRED, -1, 'd', '{}', NOW)", "invalid", "hold_expired"},
    {"capture: invalid before more than the hold", "capture(U, OPEN, 99, NULL, '{}', NOW)", "invalid", "exceeds_hold"},
    {"capture: no such user", "capture(NOBODY, OPEN, 1, 'd', '{}', NOW)", "not_found"},
    {"capture: no user", "capture(NULL, OPEN, 1, 'd', '{}', NOW)", "not_found"},
    {"capture: no such hold", "capture(U, NOBODY, 1, 'd', '{}', NOW)", "not_found"},
    {"capture: no hold", "capture(U, NULL, 1, 'd', '{}', NOW)", "not_found"},
    {"capture: another user's hold", "capture(U, THEIRS, 1, 'd', '{}', NOW)", "not_found"},
    {"capture: another user's before captured", "capture(V, CAPTURED, 0.5, 'd', '{}', NOW)", "not_found",
     "hold_captured"},
    {"capture: another user's before voided", "capture(V, VOIDED, 1, 'd', '{}', NOW)", "not_found", "hold_voided"},
    {"capture: another user's before expired", "capture(V, EXPIRED, 1, 'd', '{}', NOW)", "not_found", "hold_expired"},
    {"capture: another user's before more than the hold", "capture(V, OPEN, 99, 'd', '{}', NOW)", "not_found",
     "exceeds_hold"},
    {"capture: captured for another amount", "capture(U, CAPTURED, 0.5, 'd', '{}', NOW)", "hold_captured"},
    {"capture: captured before more than the hold", "capture(U, CAPTURED, 99, 'd', '{}', NOW)", "hold_captured",
     "exceeds_hold"},
    {"capture: a repetition", "capture(U, CAPTURED, 1, 'd', '{}', NOW)", "ok"},
    {"capture: a repetition in other words", "capture(U, CAPTURED, 1, 'other', '{}', NOW)", "ok"},
    {"capture: a repetition after the deadline", "capture(U, CAPTURED, 1, 'd', '{}', LATER)", "ok"},
    {"capture: voided", "capture(U, VOIDED, 1, 'd', '{}', NOW)", "hold_voided"},
    {"capture: voided before more than the hold", "capture(U, VOIDED, 99, 'd', '{}', NOW)", "hold_voided",
     "exceeds_hold"},
    {"capture: expired", "capture(U, EXPIRED, 0, 'd', '{}', NOW)", "hold_expired"},
    {"capture: expired before more than the hold", "capture(U, EXPIRED, 99, 'd', '{}', NOW)", "hold_expired",
     "exceeds_hold"},
    {"capture: expires just now", "capture(U, OPEN, 1, 'd', '{}', LATER + interval '1 us')", "hold_expired"},
    {"capture: at the deadline", "capture(U, OPEN, 1, 'd', '{}', LATER)", "ok"},
    {"capture: more than the hold", "capture(U, OPEN, 12.0001, 'd', '{}', NOW)", "exceeds_hold"},

    {"void: done", "void(U, OPEN, NOW)", "ok"},
    {"void: no such user", "void(NOBODY, OPEN, NOW)", "not_found"},
    {"void: no user", "void(NULL, OPEN, NOW)", "not_found"},
    {"void: no such hold", "void(U, NOBODY, NOW)", "not_found"},
    {"void: no hold", "void(U, NULL, NOW)", "not_found"},
    {"void: another user's hold", "void(U, THEIRS, NOW)", "not_found"},
    {"void: another user's before captured", "void(V, CAPTURED, NOW)", "not_found", "hold_captured"},
    {"void: captured", "void(U, CAPTURED, NOW)", "hold_captured"},
    {"void: voided already", "void(U, VOIDED, NOW)", "ok"},
    {"void: expired already", "void(U, EXPIRED, NOW)", "ok"},

    {"grant: done", "grant(U, 'new', 'purchased', 1, 'purchase', NULL, 'd', '{}', NOW)", "ok"},
    {"grant: nothing", "grant(U, 'new', 'purchased', 0, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: negative", "grant(U, 'new', 'purchased', -1, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: five places", "grant(U, 'new', 'purchased', 1.00001, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: beyond the column", "grant(U, 'new', 'purchased', 1e15, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: beyond all bounds", "grant(U, 'new', 'bonus', 'Infinity', 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: no amount", "grant(U, 'new', 'bonus', NULL, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: no key", "grant(U, NULL, 'bonus', 1, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: no bucket", "grant(U, 'new', NULL, 1, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: no such bucket", "grant(U, 'new', 'gold', 1, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: into the daily bucket", "grant(U, 'new', 'daily_free', 1, 'purchase', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: of a kind that is no grant", "grant(U, 'new', 'bonus', 1, 'chat', NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: of no kind", "grant(U, 'new', 'bonus', 1, NULL, NULL, 'd', '{}', NOW)", "invalid"},
    {"grant: purchased credit never expires", "grant(U, 'new', 'purchased', 1, 'purchase', LATER, 'd', '{}', NOW)",
     "invalid"},
    {"grant: expired already", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NOW, 'd', '{}', NOW)", "invalid"},
    {"grant: an expiry for ever", "grant(U, 'new', 'bonus', 1, 'bonus_grant', 'infinity', 'd', '{}', NOW)", "invalid"},
    {"grant: no description", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, NULL, '{}', NOW)", "invalid"},
    {"grant: too long a description", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, repeat('d', 501), '{}', NOW)",
     "invalid"},
    {"grant: no metadata", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', NULL, NOW)", "invalid"},
    {"grant: metadata that is no object", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '[]', NOW)",
     "invalid"},
    {"grant: invalid before no such user", "grant(NOBODY, 'new', 'bonus', 0, 'bonus_grant', NULL, 'd', '{}', NOW)",
     "invalid", "not_found"},
    {"grant: invalid before a used key", "grant(U, 'taken', 'bonus', 0, 'bonus_grant', NULL, 'd', '{}', NOW)",
     "invalid", "key_reused"},
    {"grant: invalid before a full wallet", "grant(RICH, 'new', 'gold', 1, 'bonus_grant', NULL, 'd', '{}', NOW)",
     "invalid", "wallet_full"},
    {"grant: no such user", "grant(NOBODY, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NOW)", "not_found"},
    {"grant: no user", "grant(NULL, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NOW)", "not_found"},
    {"grant: the key is another amount's", "grant(U, 'taken', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NOW)",
     "key_reused"},
    {"grant: the key is another bucket's", "grant(U, 'taken', 'purchased', 5, 'bonus_grant', NULL, 'd', '{}', NOW)",
     "key_reused"},
    {"grant: the key is another kind's", "grant(U, 'taken', 'bonus', 5, 'purchase', NULL, 'd', '{}', NOW)",
     "key_reused"},
    {"grant: the key is another expiry's", "grant(U, 'taken', 'bonus', 5, 'bonus_grant', LATER, 'd', '{}', NOW)",
     "key_reused"},
    {"grant: the key is another text's", "grant(U, 'taken', 'bonus', 5, 'bonus_grant', NULL, 'e', '{}', NOW)",
     "key_reused"},
    {"grant: the key is a hold's", "grant(U, 'open', 'bonus', 12, 'bonus_grant', NULL, 'd', '{}', NOW)", "key_reused"},
    {"grant: a repetition", "grant(U, 'taken', 'bonus', 5, 'bonus_grant', NULL, 'd', '{}', NOW)", "ok"},
    {"grant: a used key before a full wallet", "grant(RICH, 'rich', 'bonus', 1, 'bonus_grant', NULL, 'e', '{}', NOW)",
     "key_reused", "wallet_full"},
    {"grant: a full wallet", "grant(RICH, 'new', 'bonus', 0.0001, 'bonus_grant', NULL, 'd', '{}', NOW)", "wallet_full"},

    {"adjust: done", "adjust(U, 'new', 'purchased', -18, 'r', NULL, NOW)", "ok"},
    {"adjust: nothing", "adjust(U, 'new', 'purchased', 0, 'r', NULL, NOW)", "invalid"},
    {"adjust: five places", "adjust(U, 'new', 'purchased', -1.00001, 'r', NULL, NOW)", "invalid"},
    {"adjust: beyond the range", "adjust(U, 'new', 'purchased', -1000000000.0001, 'r', NULL, NOW)", "invalid"},
    {"adjust: beyond the column", "adjust(U, 'new', 'purchased', -1e15, 'r', NULL, NOW)", "invalid"},
    {"adjust: not a number", "adjust(U, 'new', 'purchased', 'NaN', 'r', NULL, NOW)", "invalid"},
    {"adjust: no amount", "adjust(U, 'new', 'purchased', NULL, 'r', NULL, NOW)", "invalid"},
    {"adjust: no such bucket", "adjust(U, 'new', 'gold', 1, 'r', NULL, NOW)", "invalid"},
    {"adjust: no bucket", "adjust(U, 'new', NULL, 1, 'r', NULL, NOW)", "invalid"},
    {"adjust: no key", "adjust(U, NULL, 'bonus', 1, 'r', NULL, NOW)", "invalid"},
    {"adjust: no reason", "adjust(U, 'new', 'bonus', 1, NULL, NULL, NOW)", "invalid"},
    {"adjust: too long a reason", "adjust(U, 'new', 'bonus', 1, repeat('r', 501), NULL, NOW)", "invalid"},
    {"adjust: invalid before no such user", "adjust(NOBODY, 'new', 'bonus', 0, 'r', NULL, NOW)", "invalid",
     "not_found"},
    {"adjust: invalid before a used key", "adjust(U, 'taken', 'bonus', 0, 'r', NULL, NOW)", "invalid", "key_reused"},
    {"adjust: invalid before too little", "adjust(U, 'new', 'bonus', -999, NULL, NULL, NOW)", "invalid",
     "insufficient_credits"},
    {"adjust: invalid before a full wallet", "adjust(RICH, 'new', 'bonus', 1, NULL, NULL, NOW)", "invalid",
     "wallet_full"},
    {"adjust: no such user", "adjust(NOBODY, 'new', 'bonus', 1, 'r', NULL, NOW)", "not_found"},
    {"adjust: no such user before too little", "adjust(NOBODY, 'new', 'bonus', -1, 'r', NULL, NOW)", "not_found",
     "insufficient_credits"},
    {"adjust: a used key", "adjust(U, 'taken', 'bonus', 5, 'd', NULL, NOW)", "key_reused"},
    {"adjust: a used key before too little", "adjust(U, 'taken', 'bonus', -999, 'r', NULL, NOW)", "key_reused",
     "insufficient_credits"},
    {"adjust: a used key before a full wallet", "adjust(RICH, 'rich', 'bonus', 1, 'r', NULL, NOW)", "key_reused",
     "wallet_full"},
    {"adjust: what is held stays", "adjust(U, 'new', 'purchased', -18.0001, 'r', NULL, NOW)", "insufficient_credits"},
    {"adjust: one bucket does not pay for another", "adjust(U, 'new', 'bonus', -5.0001, 'r', NULL, NOW)",
     "insufficient_credits"},
    {"adjust: all of the daily bucket is held", "adjust(U, 'new', 'daily_free', -0.0001, 'r', NULL, NOW)",
     "insufficient_credits"},
    {"adjust: a full wallet", "adjust(RICH, 'new', 'bonus', 0.0001, 'r', NULL, NOW)", "wallet_full"},
    {"adjust: a full wallet can be taken from", "adjust(RICH, 'new', 'purchased', -1, 'r', NULL, NOW)", "ok"},

    {"reverse: done", "reverse(U, GRANT, 'new', 'r', NULL, NOW)", "ok"},
    {"reverse: an empty key", "reverse(U, GRANT, '', 'r', NULL, NOW)", "invalid"},
    {"reverse: no key", "reverse(U, GRANT, NULL, 'r', NULL, NOW)", "invalid"},
    {"reverse: no reason", "reverse(U, GRANT, 'new', NULL, NULL, NOW)", "invalid"},
    {"reverse: too long a reason", "reverse(U, GRANT, 'new', repeat('r', 501), NULL, NOW)", "invalid"},
    {"reverse: invalid before no such transaction", "reverse(U, NOBODY, '', 'r', NULL, NOW)", "invalid", "not_found"},
    {"reverse: invalid before a used key", "reverse(U, GRANT, 'taken', NULL, NULL, NOW)", "invalid", "key_reused"},
    {"reverse: invalid before reversed already", "reverse(U, CHAT, '', 'r', NULL, NOW)", "invalid", "reversed_already"},
    {"reverse: invalid before not reversible", "reverse(U, REFRESH, '', 'r', NULL, NOW)", "invalid", "not_reversible"},
    {"reverse: invalid before too little", "reverse(U, SPENT, '', 'r', NULL, NOW)", "invalid", "insufficient_credits"},
    {"reverse: invalid before a full wallet", "reverse(RICH, RICHCHAT, '', 'r', NULL, NOW)", "invalid", "wallet_full"},
    {"reverse: no such user", "reverse(NOBODY, GRANT, 'new', 'r', NULL, NOW)", "not_found"},
    {"reverse: no user", "reverse(NULL, GRANT, 'new', 'r', NULL, NOW)", "not_found"},
    {"reverse: no such transaction", "reverse(U, NOBODY, 'new', 'r', NULL, NOW)", "not_found"},
    {"reverse: no transaction", "reverse(U, NULL, 'new', 'r', NULL, NOW)", "not_found"},
    {"reverse: another user's transaction", "reverse(V, GRANT, 'new', 'r', NULL, NOW)", "not_found"},
    {"reverse: no such transaction before a used key", "reverse(U, NOBODY, 'taken', 'r', NULL, NOW)", "not_found",
     "key_reused"},
    {"reverse: another user's before reversed already", "reverse(V, CHAT, 'new', 'r', NULL, NOW)", "not_found",
     "reversed_already"},
    {"reverse: another user's before not reversible", "reverse(V, REFRESH, 'new', 'r', NULL, NOW)", "not_found",
     "not_reversible"},
    {"reverse: another user's before too little", "reverse(V, SPENT, 'new', 'r', NULL, NOW)", "not_found",
     "insufficient_credits"},
    {"reverse: another user's before a full wallet", "reverse(V, RICHCHAT, 'new', 'r', NULL, NOW)", "not_found",
     "wallet_full"},
    {"reverse: a used key", "reverse(U, GRANT, 'taken', 'r', NULL, NOW)", "key_reused"},
    {"reverse: a used key before reversed already", "reverse(U, CHAT, 'taken', 'r', NULL, NOW)", "key_reused",
     "reversed_already"},
    {"reverse: a used key before not reversible", "reverse(U, REFRESH, 'taken', 'r', NULL, NOW)", "key_reused",
     "not_reversible"},
    {"reverse: a used key before too little", "reverse(U, SPENT, 'taken', 'r', NULL, NOW)", "key_reused",
     "insufficient_credits"},
    {"reverse: a used key before a full wallet", "reverse(RICH, RICHCHAT, 'rich', 'r', NULL, NOW)", "key_reused",
     "wallet_full"},
    {"reverse: reversed already", "reverse(U, CHAT, 'new', 'r', NULL, NOW)", "reversed_already"},
    {"reverse: reversed already before too little", "reverse(U, GONE, 'new', 'r', NULL, NOW)", "reversed_already",
     "insufficient_credits"},
    {"reverse: reversed already before a full wallet", "reverse(RICH, RICHREVERSED, 'new', 'r', NULL, NOW)",
     "reversed_already", "wallet_full"},
    {"reverse: itself a reversal", "reverse(U, REFUND, 'new', 'r', NULL, NOW)", "not_reversible"},
    {"reverse: a refresh, all of it held", "reverse(U, REFRESH, 'new', 'r', NULL, NOW)", "not_reversible",
     "insufficient_credits"},
    {"reverse: an expiry into a full wallet", "reverse(RICH, RICHEXPIRY, 'new', 'r', NULL, NOW)", "not_reversible",
     "wallet_full"},
    {"reverse: of its lot some is held", "reverse(U, SPENT, 'new', 'r', NULL, NOW)", "insufficient_credits"},
    {"reverse: a full wallet", "reverse(RICH, RICHCHAT, 'new', 'r', NULL, NOW)", "wallet_full"},

    {"take_back: done", "take_back(U, 'new', GRANT, 5, 'payment_refund', 'd', '{}', NOW)", "ok"},
    {"take_back: of what is held", "take_back(U, 'new', SPENT, 20, 'chargeback', 'd', '{}', NOW)", "ok"},
    {"take_back: nothing", "take_back(U, 'new', GRANT, 0, 'payment_refund', 'd', '{}', NOW)", "invalid"},
    {"take_back: five places", "take_back(U, 'new', GRANT, 0.00001, 'payment_refund', 'd', '{}', NOW)", "invalid"},
    {"take_back: beyond the column", "take_back(U, 'new', GRANT, 1e15, 'payment_refund', 'd', '{}', NOW)", "invalid"},
    {"take_back: no amount", "take_back(U, 'new', GRANT, NULL, 'payment_refund', 'd', '{}', NOW)", "invalid"},
    {"take_back: no key", "take_back(U, NULL, GRANT, 1, 'payment_refund', 'd', '{}', NOW)", "invalid"},
    {"take_back: of another kind", "take_back(U, 'new', GRANT, 1, 'adjustment', 'd', '{}', NOW)", "invalid"},
    {"take_back: of no kind", "take_back(U, 'new', GRANT, 1, NULL, 'd', '{}', NOW)", "invalid"},
    {"take_back: no description", "take_back(U, 'new', GRANT, 1, 'chargeback', NULL, '{}', NOW)", "invalid"},
    {"take_back: metadata that is no object", "take_back(U, 'new', GRANT, 1, 'chargeback', 'd', '[]', NOW)", "invalid"},
    {"take_back: invalid before no such purchase", "take_back(U, 'new', NOBODY, 0, 'chargeback', 'd', '{}', NOW)",
     "invalid", "not_found"},
    {"take_back: invalid before a used key", "take_back(U, 'taken', GRANT, 0, 'chargeback', 'd', '{}', NOW)", "invalid",
     "key_reused"},
    {"take_back: invalid before no purchase", "take_back(U, 'new', REFRESH, 0, 'chargeback', 'd', '{}', NOW)",
     "invalid", "not_refundable"},
    {"take_back: invalid before too much", "take_back(U, 'new', GRANT, 99, 'chargeback', NULL, '{}', NOW)", "invalid",
     "exceeds_purchase"},
    {"take_back: no such user", "take_back(NOBODY, 'new', GRANT, 1, 'chargeback', 'd', '{}', NOW)", "not_found"},
    {"take_back: no user", "take_back(NULL, 'new', GRANT, 1, 'chargeback', 'd', '{}', NOW)", "not_found"},
    {"take_back: no such purchase", "take_back(U, 'new', NOBODY, 1, 'chargeback', 'd', '{}', NOW)", "not_found"},
    {"take_back: no such purchase before a used key", "take_back(U, 'taken', NOBODY, 1, 'chargeback', 'd', '{}', NOW)",
     "not_found", "key_reused"},
    {"take_back: another user's before no purchase", "take_back(V, 'new', REFRESH, 1, 'chargeback', 'd', '{}', NOW)",
     "not_found", "not_refundable"},
    {"take_back: another user's before too much", "take_back(V, 'new', GRANT, 99, 'chargeback', 'd', '{}', NOW)",
     "not_found", "exceeds_purchase"},
    {"take_back: a used key", "take_back(U, 'taken', GRANT, 1, 'chargeback', 'd', '{}', NOW)", "key_reused"},
    {"take_back: a used key before no purchase", "take_back(U, 'taken', REFRESH, 1, 'chargeback', 'd', '{}', NOW)",
     "key_reused", "not_refundable"},
    {"take_back: a used key before too much", "take_back(U, 'taken', GRANT, 99, 'chargeback', 'd', '{}', NOW)",
     "key_reused", "exceeds_purchase"},
    {"take_back: a repetition", "take_back(OWES, 'back', BOUGHT, 5, 'payment_refund', 'd', '{}', NOW)", "ok"},
    {"take_back: the key is another cause's", "take_back(OWES, 'back', BOUGHT, 5, 'chargeback', 'd', '{}', NOW)",
     "key_reused"},
    {"take_back: of a charge", "take_back(U, 'new', CHAT, 0.5, 'chargeback', 'd', '{}', NOW)", "not_refundable"},
    {"take_back: of what was reversed", "take_back(U, 'new', GONE, 1, 'chargeback', 'd', '{}', NOW)", "not_refundable"},
    {"take_back: no purchase before too much", "take_back(U, 'new', REFRESH, 99, 'chargeback', 'd', '{}', NOW)",
     "not_refundable", "exceeds_purchase"},
    {"take_back: too much", "take_back(U, 'new', GRANT, 5.0001, 'chargeback', 'd', '{}', NOW)", "exceeds_purchase"},
    {"take_back: once more", "take_back(OWES, 'new', BOUGHT, 0.0001, 'chargeback', 'd', '{}', NOW)",
     "exceeds_purchase"},

    {"give_back: done", "give_back(OWES, 'new', BOUGHT, 5, 'd', '{}', NOW)", "ok"},
    {"give_back: nothing", "give_back(OWES, 'new', BOUGHT, 0, 'd', '{}', NOW)", "invalid"},
    {"give_back: beyond the column", "give_back(OWES, 'new', BOUGHT, 1e15, 'd', '{}', NOW)", "invalid"},
    {"give_back: no key", "give_back(OWES, NULL, BOUGHT, 1, 'd', '{}', NOW)", "invalid"},
    {"give_back: no metadata", "give_back(OWES, 'new', BOUGHT, 1, 'd', NULL, NOW)", "invalid"},
    {"give_back: invalid before no such purchase", "give_back(OWES, 'new', NOBODY, 0, 'd', '{}', NOW)", "invalid",
     "not_found"},
    {"give_back: invalid before a used key", "give_back(OWES, 'back', BOUGHT, 0, 'd', '{}', NOW)", "invalid",
     "key_reused"},
    {"give_back: invalid before too much", "give_back(OWES, 'new', BOUGHT, 99, NULL, '{}', NOW)", "invalid",
     "exceeds_returned"},
    {"give_back: no such user", "give_back(NOBODY, 'new', BOUGHT, 1, 'd', '{}', NOW)", "not_found"},
    {"give_back: no such purchase before a used key", "give_back(OWES, 'back', NOBODY, 1, 'd', '{}', NOW)", "not_found",
     "key_reused"},
    {"give_back: another user's before too much", "give_back(U, 'new', BOUGHT, 99, 'd', '{}', NOW)", "not_found",
     "exceeds_returned"},
    {"give_back: a used key", "give_back(OWES, 'back', BOUGHT, 5, 'd', '{}', NOW)", "key_reused"},
    {"give_back: a used key before too much", "give_back(OWES, 'back', BOUGHT, 99, 'd', '{}', NOW)", "key_reused",
     "exceeds_returned"},
    {"give_back: more than was taken", "give_back(OWES, 'new', BOUGHT, 5.0001, 'd', '{}', NOW)", "exceeds_returned"},
    {"give_back: what was never taken", "give_back(U, 'new', GRANT, 1, 'd', '{}', NOW)", "exceeds_returned"},

    {"forgive_debt: done", "forgive_debt(OWES, 'new', DEBT, 5, 'r', NULL, NOW)", "ok"},
    {"forgive_debt: nothing", "forgive_debt(OWES, 'new', DEBT, 0, 'r', NULL, NOW)", "invalid"},
    {"forgive_debt: beyond the column", "forgive_debt(OWES, 'new', DEBT, 1e15, 'r', NULL, NOW)", "invalid"},
    {"forgive_debt: no key", "forgive_debt(OWES, NULL, DEBT, 1, 'r', NULL, NOW)", "invalid"},
    {"forgive_debt: no reason", "forgive_debt(OWES, 'new', DEBT, 1, NULL, NULL, NOW)", "invalid"},
    {"forgive_debt: invalid before no such debt", "forgive_debt(OWES, 'new', NOBODY, 0, 'r', NULL, NOW)", "invalid",
     "not_found"},
    {"forgive_debt: invalid before a used key", "forgive_debt(OWES, 'back', DEBT, 0, 'r', NULL, NOW)", "invalid",
     "key_reused"},
    {"forgive_debt: invalid before too much", "forgive_debt(OWES, 'new', DEBT, 99, NULL, NULL, NOW)", "invalid",
     "exceeds_debt"},
    {"forgive_debt: no such user", "forgive_debt(NOBODY, 'new', DEBT, 1, 'r', NULL, NOW)", "not_found"},
    {"forgive_debt: no such debt before a used key", "forgive_debt(OWES, 'back', NOBODY, 1, 'r', NULL, NOW)",
     "not_found", "key_reused"},
    {"forgive_debt: another user's before too much", "forgive_debt(U, 'new', DEBT, 99, 'r', NULL, NOW)", "not_found",
     "exceeds_debt"},
    {"forgive_debt: a used key", "forgive_debt(OWES, 'back', DEBT, 1, 'r', NULL, NOW)", "key_reused"},
    {"forgive_debt: a used key before too much", "forgive_debt(OWES, 'back', DEBT, 99, 'r', NULL, NOW)", "key_reused",
     "exceeds_debt"},
    {"forgive_debt: more than is owed", "forgive_debt(OWES, 'new', DEBT, 5.0001, 'r', NULL, NOW)", "exceeds_debt"},

    {"collect_debts: nothing to pay with", "collect_debts(OWES, NOW)", "ok"},
    {"collect_debts: no such user", "collect_debts(NOBODY, NOW)", "not_found"},

    {"refresh: done", "refresh(U, 10, NOW)", "ok"},
    {"refresh: a negative limit", "refresh(U, -1, NOW)", "invalid"},
    {"refresh: no limit", "refresh(U, NULL, NOW)", "invalid"},
    {"refresh: a limit beyond the column", "refresh(U, 1e15, NOW)", "invalid"},
    {"refresh: invalid before no such user", "refresh(NOBODY, -1, NOW)", "invalid", "not_found"},
    {"refresh: no such user", "refresh(NOBODY, 1, NOW)", "not_found"},
    {"refresh: no user", "refresh(NULL, 1, NOW)", "not_found"},

    {"balance: done", "balance(U, 10, NOW)", "ok"},
    {"balance: a negative limit", "balance(U, -1, NOW)", "invalid"},
    {"balance: five places", "balance(U, 0.00001, NOW)", "invalid"},
    {"balance: invalid before no such user", "balance(NOBODY, -1, NOW)", "invalid", "not_found"},
    {"balance: no such user", "balance(NOBODY, 1, NOW)", "not_found"},
};

// Each operation's refusals in the order of docs/ledger.md. Of two, the earlier is answered where both apply.
struct Precedence
{
    const char *operation;
    const char *refusals;
    const char *cannotMeet = ""; // "earlier/later": pairs that no call can bring together
};
constexpr Precedence precedences[] = {
    // who is no user has no keys
    {"hold", "invalid not_found key_reused insufficient_credits", "not_found/key_reused"},
    // a hold is in one state
    {"capture", "invalid not_found hold_captured hold_voided hold_expired exceeds_hold",
     "hold_captured/hold_voided hold_captured/hold_expired hold_voided/hold_expired"},
    {"void", "not_found hold_captured"},
    // who is no user has no keys and no full wallet
    {"grant", "invalid not_found key_reused wallet_full", "not_found/key_reused not_found/wallet_full"},
    // what takes fills no wallet
    {"adjust", "invalid not_found key_reused insufficient_credits wallet_full",
     "not_found/key_reused not_found/wallet_full insufficient_credits/wallet_full"},
    // what was reversed could be; what takes fills no wallet
    {"reverse", "invalid not_found key_reused reversed_already not_reversible insufficient_credits wallet_full",
     "reversed_already/not_reversible insufficient_credits/wallet_full"},
    {"take_back", "invalid not_found key_reused not_refundable exceeds_purchase"},
    {"give_back", "invalid not_found key_reused exceeds_returned"},
    {"forgive_debt", "invalid not_found key_reused exceeds_debt"},
    {"collect_debts", "not_found"},
    {"refresh", "invalid not_found"},
    {"balance", "invalid not_found"},
};

QStringList words(const char *text)
{
    return QString::fromLatin1(text).split(u' ', Qt::SkipEmptyParts);
}
QString operationOf(const Row &row)
{
    return QString::fromLatin1(row.call).section(u'(', 0, 0);
}
// What a function's body may answer, read out of its source.
QStringList codesIn(const QString &source)
{
    static const QRegularExpression assignment(QStringLiteral("code := ([^;]+);"));
    static const QRegularExpression literal(QStringLiteral("'([a-z_]+)'"));
    QStringList codes;
    for (auto found = assignment.globalMatch(source); found.hasNext();) {
        const QString expression = found.next().captured(1);
        if (expression == QLatin1StringView("'hold_' || v_hold.state"))
            codes << QStringLiteral("hold_voided") << QStringLiteral("hold_expired");
        else
            for (auto text = literal.globalMatch(expression); text.hasNext();)
                codes << text.next().captured(1);
    }
    codes.removeDuplicates();
    codes.removeAll(QStringLiteral("ok"));
    codes.sort();
    return codes;
}

} // namespace

// One row per refusal, and one per pair of them that can meet: the earlier in the function's list is answered.
// Asked of the functions themselves, because C++ answers several of their codes as one.
class RefusalsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { setTheStage(); }

    void the_first_that_applies_is_answered_data()
    {
        QTest::addColumn<QString>("call");
        QTest::addColumn<QString>("code");
        for (const Row &row : rows)
            QTest::newRow(row.name) << QString::fromUtf8(row.call) << QString::fromLatin1(row.code);
    }
    // Rolled back after each row; a refusal must have written nothing at all.
    void the_first_that_applies_is_answered()
    {
        QFETCH(QString, call);
        QFETCH(QString, code);
        // Refunds are no act of the user's.
        const bool isOperators =
            call.contains(QLatin1StringView("_back(")) || call.contains(QLatin1StringView("_debt"));
        // As a user, for whom there is nobody else, and as an operator, who is kept apart by the functions alone.
        for (db::Session *session : {&m_f.db.app(), &m_f.db.operators()}) {
            if (isOperators && session == &m_f.db.app())
                continue;
            const db::Transaction rolledBack(*session, m_f.user);
            const QString before = everything(*session);
            QCOMPARE(session->script(QStringLiteral("SELECT code FROM ledger_") + filled(call)).first().text("code"),
                     code);
            if (code != QLatin1StringView("ok") && !call.contains(QLatin1StringView("LATER + interval '1 us'")))
                QCOMPARE(everything(*session), before);
        }
    }

    // The table above is held to the functions as they are in the database, and to docs/ledger.md's order.
    void every_operation_of_the_ledger_is_in_the_table()
    {
        QStringList operations;
        for (const auto &row : operationsInTheDatabase())
            operations << row.text("name");
        QStringList listed;
        for (const Precedence &of : precedences)
            listed << QString::fromLatin1(of.operation);
        listed.sort();
        QCOMPARE(operations, listed);
    }
    void every_code_that_a_function_can_answer_is_in_the_table()
    {
        for (const auto &function : operationsInTheDatabase()) {
            const QString operation = function.text("name");
            const auto of = std::ranges::find(precedences, operation,
                                              [](const Precedence &p) { return QString::fromLatin1(p.operation); });
            QVERIFY2(of != std::end(precedences), qPrintable(operation));
            QStringList answered{};
            for (const Row &row : rows)
                if (operationOf(row) == operation && row.code != QByteArray("ok"))
                    answered << QString::fromLatin1(row.code);
            answered.removeDuplicates();
            answered.sort();
            QStringList stated = words(of->refusals);
            stated.sort();
            // refresh's are answered through the pieces that balance shares
            const QString source = operation == "balance" ? sourceOf("refresh") : function.text("source");
            QCOMPARE(codesIn(source), stated);
            QCOMPARE(answered, stated);
        }
    }
    void every_pair_that_can_meet_is_in_the_table()
    {
        for (const Precedence &of : precedences) {
            const QStringList refusals = words(of.refusals);
            for (qsizetype i = 0; i < refusals.size(); ++i)
                for (qsizetype j = i + 1; j < refusals.size(); ++j) {
                    const auto isThePair = [&](const Row &row) {
                        return operationOf(row) == of.operation && refusals[i] == row.code && refusals[j] == row.also;
                    };
                    const QString pair = refusals[i] + u'/' + refusals[j];
                    const bool told = std::ranges::any_of(rows, isThePair);
                    QVERIFY2(told != words(of.cannotMeet).contains(pair), qPrintable(of.operation + (u' ' + pair)));
                }
        }
    }
    void every_code_has_its_error_and_its_words()
    {
        for (const auto &function : operationsInTheDatabase())
            for (const QString &code : codesIn(function.text("source"))) {
                const auto row = m_f.db.owner().script(
                    QStringLiteral("SELECT '%1' AS code, 1::numeric AS required, 0::numeric AS available").arg(code));
                const auto refusal = ledger::refusalIn(row.first()); // a Bug where it is not known
                QVERIFY(refusal && !refusal->detail.isEmpty() && refusal->log.contains(code));
            }
    }
    void a_call_without_a_time_is_a_bug_and_writes_nothing()
    {
        for (const char *call :
             {"capture(U, OPEN, 1, 'd', '{}', NULL)", "void(U, OPEN, NULL)",
              "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NULL)",
              "adjust(U, 'new', 'bonus', 1, 'r', NULL, NULL)", "reverse(U, GRANT, 'new', 'r', NULL, NULL)",
              "refresh(U, 10, 'infinity')", "balance(U, 10, NULL)"}) {
            const QString before = everything(m_f.db.app());
            QVERIFY_THROWS_EXCEPTION(db::DatabaseError,
                                     m_f.db.app().script(QStringLiteral("SELECT code FROM ledger_")
                                                         + filled(QString::fromLatin1(call))));
            QCOMPARE(everything(m_f.db.app()), before);
        }
    }

    void a_refusal_says_what_was_needed_and_what_there_is()
    {
        const auto refused = m_f.hold("23.0001");
        QCOMPARE(refused.error().code, ErrorCode::InsufficientCredits);
        QCOMPARE(refused.error().required, std::optional(credits("23.0001")));
        QCOMPARE(refused.error().available, std::optional(credits("23")));
    }

    void what_was_due_stays_done_when_the_call_refuses()
    {
        LedgerFixture f;
        QVERIFY(f.hold("4"));
        f.db.clock().advance(std::chrono::hours(24));
        QCOMPARE(f.hold("1000").error().code, ErrorCode::InsufficientCredits);
        QCOMPARE(f.history(), "daily_refresh 10, daily_expiry -10, daily_refresh 10");
    }

private:
    void setTheStage()
    {
        LedgerFixture &f = m_f;
        auto &app = f.db.app();
        f.grant(Bucket::Purchased, "1");
        const auto captured = f.hold("1", "0");
        const auto chat = f.capture(captured->id, "1");
        const auto refund = f.reverse(chat->transaction);
        f.adjust(Bucket::Purchased, "-1");
        const auto gone = f.grant(Bucket::Bonus, "3");
        f.reverse(gone->id);
        const auto voided = f.hold("0", "0");
        QVERIFY(f.ledger.voidHold(app, f.user, voided->id));
        const auto expired = f.hold("0", "0", std::chrono::seconds(1));
        f.db.clock().advance(std::chrono::hours(24)); // past its deadline; a day on, the refresh is a plain one
        const auto spent = f.grant(Bucket::Purchased, "20");
        const auto bonus = f.ledger.grant(
            app, {.user = f.user, .key = "taken", .bucket = Bucket::Bonus, .amount = credits("5"), .description = "d"});
        QCOMPARE(f.wallet(), "10 20 5 0");
        const auto refresh = f.ledger.transactions(app, {.user = f.user, .kind = TransactionKind::DailyRefresh}, {});
        const auto open =
            f.ledger.hold(app, {f.user, "open", credits("12"), f.in(std::chrono::minutes(6)), credits("10")});
        const UserId other = f.addUser();
        const auto theirs =
            f.ledger.hold(app, {other, "k", credits("1"), f.in(std::chrono::minutes(6)), credits("10")});
        enrich(f.addUser());
        indebt(f.addUser());
        text("NOBODY", UserId::create().toString());
        text("THEIRS", theirs->id.toString());
        text("CAPTURED", captured->id.toString());
        text("VOIDED", voided->id.toString());
        text("EXPIRED", expired->id.toString());
        text("OPEN", open->id.toString());
        text("CHAT", chat->transaction.toString());
        text("REFUND", refund->id.toString());
        text("GRANT", bonus->id.toString());
        text("SPENT", spent->id.toString());
        text("REFRESH", refresh->items.first().id.toString());
        text("GONE", gone->id.toString());
        m_names.append({"LATER", "timestamptz '" + f.in(std::chrono::minutes(6)).toString(Qt::ISODate) + u'\''});
        m_names.append({"NOW", "timestamptz '" + f.now().toString(Qt::ISODate) + u'\''});
        text("U", f.user.toString());
        text("V", other.toString());
    }
    // A purchase that was spent, then refunded.
    void indebt(const UserId &owing)
    {
        LedgerFixture &f = m_f;
        const UserId user = std::exchange(f.user, owing);
        const auto bought = f.grant(Bucket::Purchased, "5");
        QVERIFY(f.capture(f.hold("5", "0")->id, "5"));
        QVERIFY(f.ledger.takeBack(
            f.db.operators(),
            {.user = owing, .key = "back", .purchase = bought->id, .amount = credits("5"), .description = "d"}));
        text("OWES", owing.toString());
        text("BOUGHT", bought->id.toString());
        text("DEBT",
             f.db.owner()
                 .script(QStringLiteral("SELECT id FROM wallet_debts WHERE user_id = '%1'").arg(owing.toString()))
                 .first()
                 .text("id"));
        f.user = user;
    }
    // Two charges, of which one was reversed, and an expiry; then filled up to the brim.
    void enrich(const UserId &rich)
    {
        LedgerFixture &f = m_f;
        const UserId user = std::exchange(f.user, rich);
        const QDateTime then = f.now();
        f.db.clock().set(then.addDays(-1));
        f.grant(Bucket::Bonus, "1", then.addSecs(-60));
        f.db.clock().set(then);
        f.wallet("0"); // the bonus expires
        f.ledger.grant(f.db.app(), {.user = rich, .key = "rich", .amount = credits("2"), .description = "d"});
        const auto chat = f.capture(f.hold("1", "0")->id, "1");
        const auto reversed = f.capture(f.hold("1", "0")->id, "1");
        f.reverse(reversed->transaction);
        const QString grants =
            QStringLiteral("SELECT count(code) FROM generate_series(1, 999) i, ledger_grant('%1', "
                           "'full-' || i, 'purchased', 1000000000, 'purchase', NULL, 'd', '{}', '%2')");
        f.db.app().script(grants.arg(rich.toString(), then.toString(Qt::ISODateWithMs)));
        f.grant(Bucket::Purchased, "999999999");
        QCOMPARE(f.wallet("0"), "0 1000000000000 0 0");
        const auto expiry = f.ledger.transactions(f.db.app(), {.user = rich, .kind = TransactionKind::BonusExpiry}, {});
        text("RICH", rich.toString());
        text("RICHCHAT", chat->transaction.toString());
        text("RICHREVERSED", reversed->transaction.toString());
        text("RICHEXPIRY", expiry->items.first().id.toString());
        f.user = user;
    }
    db::Rows operationsInTheDatabase()
    {
        return m_f.db.owner().script(
            "SELECT substr(proname, 8) AS name, prosrc AS source FROM pg_proc"
            " WHERE proname LIKE 'ledger\\_%' AND 'code' = ANY (proargnames) ORDER BY proname COLLATE \"C\"");
    }
    QString sourceOf(const QString &operation)
    {
        return m_f.db.owner()
            .script(QStringLiteral("SELECT prosrc AS source FROM pg_proc WHERE proname = 'ledger_%1'").arg(operation))
            .first()
            .text("source");
    }
    void text(const QString &name, const QString &value) { m_names.append({name, u'\'' + value + u'\''}); }
    QString filled(QString call) const
    {
        for (const auto &[name, value] : m_names)
            call.replace(QRegularExpression(u"\\b" + name + u"\\b"), value);
        return call;
    }
    // What the session sees of the stage's user in every table, as one digest.
    QString everything(db::Session &session)
    {
        session.script(filled("SELECT set_config('companion.user_id', U, true)"));
        return session
            .script(filled(
                "SELECT md5(concat((SELECT string_agg(t::text, ',') FROM user_wallet t WHERE user_id = U),"
                "(SELECT string_agg(t::text, ',' ORDER BY id) FROM wallet_lots t WHERE user_id = U),"
                "(SELECT string_agg(t::text, ',' ORDER BY id) FROM holds t WHERE user_id = U),"
                "(SELECT string_agg(t::text, ',' ORDER BY key) FROM operations t WHERE user_id = U),"
                "(SELECT string_agg(t::text, ',' ORDER BY sequence) FROM transaction_history t WHERE user_id = U),"
                "(SELECT count(*) FROM ledger_legs), (SELECT count(*) FROM reversals),"
                "(SELECT count(*) FROM user_wallet), (SELECT count(*) FROM wallet_lots))) AS digest"))
            .first()
            .text("digest");
    }

    LedgerFixture m_f;
    QList<std::pair<QString, QString>> m_names; // what stands for what in a call
};

QTEST_GUILESS_MAIN(RefusalsTest)
#include "tst_Refusals.moc"
