-- Webhooks taken together broken on purpose, as tests/ledger/mutations.sql (docs/testing.md).

-- together: keys are not locked [TakeTogether]
SELECT mutate('payments_take_plain', $m$HAVING bool_and(l.got)$m$, $m$HAVING true$m$);

-- together: an event that is known is taken again [TakeTogether]
SELECT mutate('payments_take_plain', $m$AND NOT EXISTS (SELECT FROM payment_events e WHERE e.provider = o.provider AND e.event_id = o.event_id)$m$, $m$$m$);

-- together: one that waits is a duplicate [TakeTogether]
SELECT mutate('payments_take_plain', $m$AND e.status = 'processed'$m$, $m$$m$);

-- together: deliveries are not counted [TakeTogether]
SELECT mutate('payments_take_plain', $m$e.deliveries + 1$m$, $m$e.deliveries$m$);

-- together: waits for the user's lock [TakeTogether]
SELECT mutate('payments_take_plain', $m$FOR NO KEY UPDATE OF u SKIP LOCKED$m$, $m$FOR NO KEY UPDATE OF u$m$);

-- together: waits for the payment's lock [TakeTogether]
SELECT mutate('payments_take_plain', $m$ORDER BY p.id FOR UPDATE SKIP LOCKED$m$, $m$ORDER BY p.id FOR UPDATE$m$);

-- together: a debt is not paid [TakeTogether]
SELECT mutate('ledger_lock_plain', $m$AND w.debt = 0$m$, $m$$m$);

-- together: what is due stays [TakeTogether]
SELECT mutate('ledger_lock_plain', $m$w.due_at > p_now AND$m$, $m$$m$);

-- together: any price will do [TakeTogether]
SELECT mutate('payments_take_plain', $m$f.amount_minor >= p.amount_minor$m$, $m$true$m$);

-- together: any currency will do [TakeTogether]
SELECT mutate('payments_take_plain', $m$f.currency = p.currency AND$m$, $m$$m$);

-- together: somebody else's payment [TakeTogether]
SELECT mutate('payments_take_plain', $m$coalesce(f."user" = p.user_id, true)$m$, $m$true$m$);

-- together: what was paid is paid again [TakeTogether]
SELECT mutate('payments_take_plain', $m$AND p.paid_at IS NULL
                            AND p.refunded_minor = 0 AND p.purchase_entry IS NULL$m$, $m$$m$);

-- together: a disputed one is paid [TakeTogether]
SELECT mutate('payments_take_plain', $m$NOT EXISTS (SELECT FROM payment_disputes d WHERE d.payment_id = p.id)$m$, $m$true$m$);

-- together: of several payments any [TakeTogether]
SELECT mutate('payments_take_plain', $m$cardinality(known.ids) = 1$m$, $m$true$m$);

-- together: what is refunded already is granted [TakeTogether]
SELECT mutate('payments_take_plain', $m$AND coalesce(f.refunded_minor, 0) = 0$m$, $m$$m$);

-- together: refunds' version is forgotten [TakeTogether]
SELECT mutate('payments_take_plain', $m$greatest(p.refund_version, d.version)$m$, $m$p.refund_version$m$);

-- together: a fee told before is lost [TakeTogether]
SELECT mutate('payments_take_plain', $m$coalesce(d.fee_minor, p.fee_minor, 0)$m$, $m$coalesce(d.fee_minor, 0)$m$);

-- together: nobody is woken [TakeTogether]
SELECT mutate('payments_take_plain', $m$e.waits_for && d.keys$m$, $m$false$m$);

-- together: today's offer instead of the one that was made [TakeTogether]
SELECT mutate('payments_take_plain', $m$CASE WHEN p.id IS NULL THEN c.bonus_days ELSE p.bonus_days END$m$, $m$c.bonus_days$m$);

-- together: the bonus does not expire [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$'bonus', o.bonus_lot, o.expires_at$m$, $m$'bonus', o.bonus_lot, NULL::timestamptz$m$);

-- together: the bonus's end is not looked at [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$least(w.due_at, o.expires_at)$m$, $m$w.due_at$m$);

-- together: the key is not remembered [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$r.key, 'grant',$m$, $m$r.key || '!', 'grant',$m$);

-- together: other terms are remembered [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$ledger_fingerprint('grant', r.bucket,$m$, $m$ledger_fingerprint('grants', r.bucket,$m$);

-- together: the chain has a gap [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$(b.entry).created_at, (b.entry).hash$m$, $m$(b.entry).created_at, o.head_hash$m$);

-- together: the legs are not sealed [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$|2 operator:issuance  ' || -o.given$m$, $m$|2 operator:issuance ' || -o.given$m$);

-- together: a wallet is overfilled [TakeTogether]
SELECT mutate('ledger_purchase_many', $m$<= 1000000000000$m$, $m$<= 9000000000000$m$);

-- together: the rail of the bonus is not named [TakeTogether]
SELECT mutate('payments_take_plain', $m$ARRAY[d.purchase_lot, d.bonus_lot]$m$, $m$ARRAY[d.purchase_lot]$m$);

