#include "backend/TurnBooks.h"

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

const char always[] = R"(
WITH charge AS MATERIALIZED (
    SELECT hold_id, count(*) AS times, -sum(amount) AS amount, min(metadata ->> 'message_id') AS message,
           min(metadata ->> 'session_id')::uuid AS session
      FROM transaction_history WHERE kind = 'chat' GROUP BY hold_id),
turn AS MATERIALIZED (
    SELECT t.*, coalesce((t.answer -> 'companion' -> 'charge' ->> 'amount')::numeric, 0) AS told,
           coalesce(c.amount, 0) AS charged, coalesce(c.times, 0) AS times, c.message AS charged_for, h.state AS hold
      FROM chat_turns t LEFT JOIN charge c ON c.hold_id = t.hold_id LEFT JOIN holds h ON h.id = t.hold_id),
said AS MATERIALIZED (
    SELECT turn_id, count(*) AS messages, count(*) FILTER (WHERE role = 'user') AS questions,
           count(*) FILTER (WHERE role = 'assistant' AND id = turn_id) AS replies, sum(cost) AS cost,
           bool_or(role = 'assistant' AND content = '' AND finish_reason NOT IN ('stopped', 'content_filter')) AS empty
      FROM chat_messages GROUP BY turn_id)
SELECT format('charge: turn %s (%s) told %s, the books say %s in %s rows', message_id, status, told, charged, times) AS breach
  FROM turn WHERE told <> charged OR times > 1 OR (times > 0 AND charged_for IS DISTINCT FROM message_id::text)
               OR (status <> 'settled' AND charged <> 0)
UNION ALL
SELECT format('lost turn: hold %s is charged %s for %s, which there is not', c.hold_id, c.amount, c.message)
  FROM charge c WHERE NOT EXISTS (SELECT FROM chat_turns t WHERE t.hold_id = c.hold_id)
                  AND (c.session IS NULL OR EXISTS (SELECT FROM chat_sessions s WHERE s.id = c.session)) -- not deleted since
UNION ALL
SELECT format('hold: turn %s is %s, its hold %s', message_id, status, hold)
  FROM turn WHERE hold_id IS NOT NULL
              AND CASE status WHEN 'settled' THEN hold = 'held' OR hold IS NULL OR (hold <> 'captured' AND charged > 0)
                              WHEN 'voided' THEN hold IN ('held', 'captured') WHEN 'refused' THEN true
                              ELSE hold IS NULL OR hold IN ('captured', 'voided') END
UNION ALL
SELECT format('open hold: %s has no running turn', h.id)
  FROM holds h WHERE h.state = 'held'
                 AND NOT EXISTS (SELECT FROM chat_turns t WHERE t.hold_id = h.id AND t.status = 'running')
UNION ALL
SELECT format('messages: turn %s (%s) has %s questions, %s replies, %s messages costing %s of %s%s', message_id, status,
              questions, replies, messages, cost, charged, CASE WHEN empty THEN ', and is empty' END)
  FROM turn LEFT JOIN said ON turn_id = message_id
 WHERE session_id IS NOT NULL
   AND CASE WHEN status <> 'settled' THEN messages IS NOT NULL
            WHEN hold_id IS NULL THEN messages IS DISTINCT FROM 1
            ELSE messages IS DISTINCT FROM 2 OR questions <> 1 OR replies <> 1 OR cost <> charged OR empty END
UNION ALL
SELECT format('unreadable: stateless turn %s is charged and has no reply', message_id)
  FROM turn WHERE session_id IS NULL AND status = 'settled' AND reply IS NULL
UNION ALL
SELECT format('session %s counts %s messages for %s, it has %s for %s', s.id, s.message_count, s.total_cost, m.messages, m.cost)
  FROM chat_sessions s, LATERAL (SELECT count(*) AS messages, coalesce(sum(cost), 0) AS cost
                                   FROM chat_messages WHERE session_id = s.id) m
 WHERE (s.message_count, s.total_cost) <> (m.messages, m.cost)
UNION ALL
SELECT format('session %s waits for turn %s, which is %s', s.id, s.running_turn, coalesce(t.status, 'nowhere'))
  FROM chat_sessions s LEFT JOIN chat_turns t ON t.message_id = s.running_turn
 WHERE s.running_turn IS NOT NULL AND t.status IS DISTINCT FROM 'running'
UNION ALL
SELECT format('two at once: turns %s and %s of session %s', a.message_id, b.message_id, a.session_id)
  FROM turn a JOIN turn b ON b.session_id = a.session_id AND b.message_id <> a.message_id
 WHERE a.hold = 'captured' AND b.hold = 'captured' AND a.created_at <= b.created_at AND b.created_at < a.ended_at
UNION ALL
SELECT format('%s of %s: %s', rule, user_id, detail) FROM ledger_audit(NULL, clock_timestamp())
)";

const char inCalm[] = R"(
SELECT format('hold %s of %s is still held, its deadline was %s', id, amount, expires_at) AS breach
  FROM holds WHERE state = 'held'
UNION ALL
SELECT format('wallet %s still holds %s', user_id, held) FROM user_wallet WHERE held <> 0
UNION ALL
SELECT format('turn %s is still running, its deadline was %s', message_id, deadline) FROM chat_turns WHERE status = 'running'
UNION ALL
SELECT format('session %s still waits for %s', id, running_turn) FROM chat_sessions WHERE running_turn IS NOT NULL
)";

QStringList breachesOf(db::Session &owner, const char *sql)
{
    QStringList breaches;
    for (const db::Row &row : owner.script(QString::fromLatin1(sql)))
        breaches << row.text("breach");
    return breaches;
}

} // namespace

QStringList turnBreaches(db::Session &owner, Calm calm)
{
    QStringList breaches = breachesOf(owner, always);
    if (calm == Calm::Yes)
        breaches += breachesOf(owner, inCalm);
    return breaches;
}

} // namespace companion::test
