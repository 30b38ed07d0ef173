-- The ledger broken on purpose, one way at a time: `LEDGER_MUTATION="name" test_ledger_…` runs a test on it, try-mutations
-- runs all of them. A mutation that no test notices is a test that is missing. The word in brackets is the test that
-- should notice; mutate(function, text, other) is LedgerFixture's and fails where the text is not there.

-- hold: whoever has nothing may hold [Refusals]
SELECT mutate('ledger_hold', $m$IF available < p_amount THEN$m$, $m$IF false THEN$m$);

-- hold: the last unit cannot be held [Refusals]
SELECT mutate('ledger_hold', $m$available < p_amount$m$, $m$available <= p_amount$m$);

-- hold: a repeated key holds again [Operations]
SELECT mutate('ledger_hold', $m$INSERT INTO operations VALUES (p_user, p_key, 'hold', v_print, hold_id, p_now, w.daily_free, w.purchased, w.bonus, w.held);$m$, $m$$m$);

-- hold: a key takes any terms [Refusals]
SELECT mutate('ledger_hold', $m$IF v_done.fingerprint <> v_print THEN$m$, $m$IF false THEN$m$);

-- hold: what is held is held again [Refusals]
SELECT mutate('ledger_hold', $m$w.bonus - w.held;$m$, $m$w.bonus;$m$);

-- hold: the oldest lot first, whatever its bucket [Operations]
SELECT mutate('ledger_reserve', $m$ledger_bucket_rank(l.bucket), l.expires_at NULLS LAST, l.sequence$m$, $m$l.sequence$m$);

-- hold: what never expires goes first [Operations]
SELECT mutate('ledger_reserve', $m$NULLS LAST$m$, $m$NULLS FIRST$m$);

-- hold: of two alike the younger first [AgainstModel]
SELECT mutate('ledger_reserve', $m$NULLS LAST, l.sequence$m$, $m$NULLS LAST, l.sequence DESC$m$);

-- hold: its deadline is not looked at [Midnight]
SELECT mutate('ledger_hold', $m$, due_at = least(due_at, p_expires_at)$m$, $m$$m$);

-- hold: a deadline that has come [Refusals]
SELECT mutate('ledger_hold', $m$p_expires_at > p_now AND$m$, $m$p_expires_at >= p_now AND$m$);

-- hold: an amount beyond the column fails [Refusals]
SELECT mutate('ledger_hold', $m$    replayed := false;$m$, $m$    v_print := ledger_fingerprint('hold', p_amount::numeric(18,4)::text); replayed := false;$m$);

-- capture: after the deadline [Refusals]
SELECT mutate('ledger_capture', $m$IF v_hold.state <> 'held' THEN$m$, $m$IF false THEN$m$);

-- capture: more than the hold [Refusals]
SELECT mutate('ledger_capture', $m$IF p_amount > v_hold.amount THEN$m$, $m$IF false THEN$m$);

-- capture: a repetition for another amount [Refusals]
SELECT mutate('ledger_capture', $m$IF charged_daily_free + charged_purchased + charged_bonus <> p_amount THEN$m$, $m$IF false THEN$m$);

-- capture: what is released late lives on [Midnight]
SELECT mutate('ledger_capture', $m$IF v_late THEN$m$, $m$IF false THEN$m$);

-- capture: another user's hold [Refusals]
SELECT mutate('ledger_capture', $m$h.id = p_hold AND h.user_id = p_user$m$, $m$h.id = p_hold$m$);

-- capture: the rest stays reserved [Operations]
SELECT mutate('ledger_capture', $m$reserved = l.reserved - v_part.amount$m$, $m$reserved = l.reserved - v_take$m$);

-- capture: charges the last lot first [Midnight]
SELECT mutate('ledger_capture', $m$ORDER BY h.position$m$, $m$ORDER BY h.position DESC$m$);

-- capture: the row does not name its hold [Operations]
SELECT mutate('ledger_capture', $m$p_hold => p_hold$m$, $m$p_hold => NULL$m$);

-- void: what was captured [Refusals]
SELECT mutate('ledger_void', $m$IF v_hold.state = 'captured' THEN$m$, $m$IF false THEN$m$);

-- void: what is released late lives on [Midnight]
SELECT mutate('ledger_void', $m$ledger_expire_lots(ledger_release(w, p_hold), p_now)$m$, $m$ledger_release(w, p_hold)$m$);

-- void: the hold stays open [Operations]
SELECT mutate('ledger_void', $m$PERFORM ledger_close_hold(w, p_hold, 'voided', p_now);$m$, $m$$m$);

-- void: another user's hold [Refusals]
SELECT mutate('ledger_void', $m$h.id = p_hold AND h.user_id = p_user$m$, $m$h.id = p_hold$m$);

-- due: a lot that is held past its expiry is forgotten [Midnight]
SELECT mutate('ledger_free_due', $m$WHERE user_id = w.user_id AND open)$m$, $m$WHERE user_id = w.user_id AND open AND expires_at > p_now)$m$);

-- due: a hold ends at its deadline [Midnight]
SELECT mutate('ledger_free_due', $m$expires_at < p_now ORDER$m$, $m$expires_at <= p_now ORDER$m$);

-- due: nothing expires [Midnight]
SELECT mutate('ledger_free_due', $m$w := ledger_expire_lots(w, p_now);$m$, $m$$m$);

-- due: no hold is freed [Midnight]
SELECT mutate('ledger_free_due', $m$state = 'held' AND expires_at < p_now$m$, $m$state = 'held' AND false$m$);

-- due: a call needs no time [Refusals]
SELECT mutate('ledger_free_due', $m$ASSERT isfinite(p_now), 'a ledger operation is told the time';$m$, $m$$m$);

-- due: open holds are forgotten [Midnight]
SELECT mutate('ledger_free_due', $m$(SELECT min(expires_at) FROM holds WHERE user_id = w.user_id AND state = 'held')$m$, $m$NULL$m$);

-- expiry: a moment late [Midnight]
SELECT mutate('ledger_expire_lots', $m$expires_at <= p_now$m$, $m$expires_at < p_now$m$);

-- expiry: takes what is held [Midnight]
SELECT mutate('ledger_expire_lots', $m$SET remaining = reserved$m$, $m$SET remaining = 0, reserved = 0$m$);
SELECT mutate('ledger_expire_lots', $m$reserved - remaining$m$, $m$-remaining$m$);

-- expiry: bonus before daily [AgainstModel]
SELECT mutate('ledger_expire_lots', $m$ORDER BY bucket DESC$m$, $m$ORDER BY bucket$m$);

-- day: of the clock that asks [Midnight]
SELECT mutate('ledger_refresh_day', $m$greatest(p_now, w.last_at)$m$, $m$p_now$m$);

-- day: an upgrade grants all of it [Midnight]
SELECT mutate('ledger_refresh_day', $m$CASE WHEN v_new_day THEN 0 ELSE w.granted_today END$m$, $m$0$m$);

-- day: at every call [Operations]
SELECT mutate('ledger_refresh_day', $m$coalesce(w.refreshed_on < v_today, true)$m$, $m$true$m$);

-- day: what was granted is not kept [Midnight]
SELECT mutate('ledger_refresh_day', $m$w.granted_today := w.granted_today + v_grant;$m$, $m$$m$);

-- day: does not end [Midnight]
SELECT mutate('ledger_refresh_day', $m$w.due_at := least(w.due_at, v_midnight);$m$, $m$$m$);

-- open: without the lock [Concurrency]
SELECT mutate('ledger_open', $m$WHERE user_id = p_user FOR UPDATE$m$, $m$WHERE user_id = p_user$m$);
SELECT mutate('ledger_open_and_catch_up', $m$WHERE user_id = p_user FOR UPDATE$m$, $m$WHERE user_id = p_user$m$);

-- open: what was due is not kept [Midnight]
SELECT mutate('ledger_open_and_catch_up', $m$IF w IS DISTINCT FROM v_before THEN$m$, $m$IF false THEN$m$);

-- open: a visit is not noted [Midnight]
SELECT mutate('ledger_open_and_catch_up', $m$w.active_on := greatest(w.active_on, ledger_day(p_now));$m$, $m$$m$);

-- open: nothing is ever due [Midnight]
SELECT mutate('ledger_open', $m$IF w.due_at > p_now AND$m$, $m$IF$m$);

-- open: an upgrade waits [Midnight]
SELECT mutate('ledger_open', $m$w.daily_limit = p_daily_limit AND w.granted_today >= p_daily_limit$m$, $m$true$m$);

-- open: yesterday's credit is today's [Midnight]
SELECT mutate('ledger_open', $m$least(w.refreshed_on, w.active_on) >= ledger_day(greatest(p_now, w.last_at))$m$, $m$true$m$);

-- open: a call in the fast lane needs no time [Refusals]
SELECT mutate('ledger_open', $m$ AND isfinite(p_now)$m$, $m$ AND coalesce(isfinite(p_now), true)$m$);
SELECT mutate('ledger_open', $m$w.due_at > p_now$m$, $m$coalesce(w.due_at > p_now, true)$m$);

-- capture: what it keeps of the balance is the old one [Operations]
SELECT mutate('ledger_capture', $m$purchased = e.after_purchased$m$, $m$purchased = w.purchased$m$);

-- capture: of nothing, and the hold's part stays held [Operations]
SELECT mutate('ledger_capture', $m$UPDATE user_wallet SET held = w.held WHERE user_id = p_user;$m$, $m$NULL;$m$);

-- capture: the head stands still [Operations]
SELECT mutate('ledger_capture', $m$, head_hash = e.hash$m$, $m$$m$);

-- row: time goes back [AgainstModel]
SELECT mutate('ledger_post', $m$greatest(p_now, w.last_at)$m$, $m$p_now$m$);

-- row: begins a chain of its own [Operations]
SELECT mutate('ledger_post', $m$e.prev_hash := w.head_hash$m$, $m$e.prev_hash := decode(repeat('00', 32), 'hex')$m$);

-- row: legs that do not sum to zero [Operations]
SELECT mutate('ledger_post', $m$p_account, NULL, -e.amount$m$, $m$p_account, NULL, -e.amount - 1$m$);

-- row: without its operator [Operations]
SELECT mutate('ledger_post', $m$e.actor_id := p_actor$m$, $m$e.actor_id := NULL$m$);

-- row: without its metadata [Operations]
SELECT mutate('ledger_post', $m$e.metadata := p_metadata$m$, $m$e.metadata := '{}'$m$);

-- seal: no text [Audit]
SELECT mutate('ledger_text_digest', $m$jsonb_build_array(p_description, p_metadata)::text$m$, $m$''$m$);

-- seal: no metadata [Audit]
SELECT mutate('ledger_text_digest', $m$jsonb_build_array(p_description, p_metadata)$m$, $m$jsonb_build_array(p_description)$m$);

-- seal: always the same salt [Audit]
SELECT mutate('ledger_seal', $m$uuid_send(gen_random_uuid())$m$, $m$decode(repeat('00', 16), 'hex')$m$);

-- seal: the parts are not in the hash [Audit]
SELECT mutate('ledger_sealed_hash', $m$ || e.parts_digest)$m$, $m$)$m$);
SELECT mutate('ledger_seal', $m$ || e.parts_digest)$m$, $m$)$m$);

-- seal: the texts are not in the hash [Audit]
SELECT mutate('ledger_sealed_hash', $m$ || e.text_digest$m$, $m$$m$);
SELECT mutate('ledger_seal', $m$ || e.text_digest$m$, $m$$m$);

-- seal: a lot without its expiry [Audit]
SELECT mutate('ledger_lot_text', $m$(extract(epoch FROM l.expires_at) * 1000000)::bigint$m$, $m$0$m$);

-- seal: no lots [Audit]
SELECT mutate('ledger_post', $m$CASE WHEN v_adds THEN$m$, $m$CASE WHEN false THEN$m$);

-- hash: without its operator [Audit]
SELECT mutate('ledger_hash', $m$|| coalesce(e.actor_id::text, '') || '|'$m$, $m$|| '|'$m$);

-- hash: without its hold [Audit]
SELECT mutate('ledger_hash', $m$|| coalesce(e.hold_id::text, '') || '|'$m$, $m$|| '|'$m$);

-- hash: without its kind [Audit]
SELECT mutate('ledger_hash', $m$|| e.kind || '|'$m$, $m$|| '|'$m$);

-- hash: without what it reverses [Audit]
SELECT mutate('ledger_hash', $m$|| coalesce(e.reverses::text, '') || '|'$m$, $m$|| '|'$m$);

-- hash: without the bonus behind it [Audit]
SELECT mutate('ledger_hash', $m$|| e.after_bonus || '|'$m$, $m$|| '|'$m$);

-- hash: without its time [Audit]
SELECT mutate('ledger_hash', $m$|| (extract(epoch FROM e.created_at) * 1000000)::bigint || '|'$m$, $m$|| '|'$m$);

-- grant: its expiry is not looked at [Midnight]
SELECT mutate('ledger_grant', $m$w.due_at := least(w.due_at, p_expires_at);$m$, $m$$m$);

-- grant: above all bounds [Refusals]
SELECT mutate('ledger_grant', $m$> 1000000000000 THEN$m$, $m$> 2000000000000 THEN$m$);

-- grant: of any kind [Refusals]
SELECT mutate('ledger_grant', $m$'purchase', 'bonus_grant'$m$, $m$'purchase', 'chat', 'bonus_grant'$m$);

-- grant: a key takes another expiry [Refusals]
SELECT mutate('ledger_grant', $m$extract(epoch FROM p_expires_at)::text$m$, $m$''$m$);

-- grant: a repeated key grants again [Refusals]
SELECT mutate('ledger_grant', $m$PERFORM ledger_remember(w, p_key, 'grant', v_print, entry.id, entry.created_at);$m$, $m$$m$);

-- adjust: takes what is held [Refusals]
SELECT mutate('ledger_adjust', $m$sum(l.remaining - l.reserved)$m$, $m$sum(l.remaining)$m$);

-- adjust: one bucket pays for another [Refusals]
SELECT mutate('ledger_adjust', $m$AND l.open AND l.bucket = p_bucket;$m$, $m$AND l.open;$m$);

-- adjust: the last to expire first [AgainstModel]
SELECT mutate('ledger_adjust', $m$ORDER BY l.expires_at NULLS LAST, l.sequence$m$, $m$ORDER BY l.expires_at DESC NULLS FIRST, l.sequence$m$);

-- adjust: above all bounds [Refusals]
SELECT mutate('ledger_adjust', $m$> 1000000000000 THEN$m$, $m$> 2000000000000 THEN$m$);

-- adjust: without its operator [Operations]
SELECT mutate('ledger_adjust', $m$p_actor => p_actor$m$, $m$p_actor => NULL$m$);

-- adjust: the day's gift does not end [Midnight]
SELECT mutate('ledger_adjust', $m$w.due_at := least(w.due_at, CASE p_bucket WHEN 'daily_free' THEN ledger_midnight_after(p_now) END);$m$, $m$$m$);

-- reverse: twice [Refusals]
SELECT mutate('ledger_reverse', $m$IF EXISTS (SELECT FROM reversals r WHERE r.original_id = p_original) THEN$m$, $m$IF false THEN$m$);

-- reverse: a reversal [Refusals]
SELECT mutate('ledger_reverse', $m$IF v_original.reverses IS NOT NULL$m$, $m$IF false$m$);
SELECT mutate('ledger_reverse', $m$NOT IN ('chat', $m$, $m$NOT IN ('chat', 'chat_refund', $m$);

-- reverse: a refresh [Refusals]
SELECT mutate('ledger_reverse', $m$NOT IN ('chat', $m$, $m$NOT IN ('chat', 'daily_refresh', $m$);

-- reverse: takes what is held [Refusals]
SELECT mutate('ledger_reverse', $m$least(l.remaining - l.reserved, -part.amount)$m$, $m$least(l.remaining, -part.amount)$m$);

-- reverse: a refund into an expired lot lives [Midnight]
SELECT mutate('ledger_reverse', $m$w := ledger_expire_lots(w, p_now);$m$, $m$$m$);

-- reverse: a lot that is open again is not looked at [Midnight]
SELECT mutate('ledger_reverse', $m$min(l.expires_at)$m$, $m$max(NULL::timestamptz)$m$);

-- reverse: another user's transaction [Refusals]
SELECT mutate('ledger_reverse', $m$t.id = p_original AND t.user_id = p_user$m$, $m$t.id = p_original$m$);

-- reverse: above all bounds [Refusals]
SELECT mutate('ledger_reverse', $m$> 1000000000000 THEN$m$, $m$> 2000000000000 THEN$m$);

-- reverse: is not remembered [Operations]
SELECT mutate('ledger_reverse', $m$INSERT INTO reversals VALUES (p_original, entry.id, p_user, entry.created_at);$m$, $m$$m$);

-- refresh: looks at nothing that is due [Midnight]
SELECT mutate('ledger_refresh', $m$AND w.due_at > p_now$m$, $m$$m$);

-- refresh: an upgrade waits for tomorrow [Midnight]
SELECT mutate('ledger_refresh', $m$AND w.daily_limit = p_daily_limit$m$, $m$$m$);

-- refresh: a swept day is no visit [Midnight]
SELECT mutate('ledger_refresh', $m$ AND w.active_on >= ledger_day(p_now)$m$, $m$$m$);

-- balance: lots in another order [Operations]
SELECT mutate('ledger_balance', $m$NULLS LAST$m$, $m$NULLS FIRST$m$);

-- sweep: trusts the wallet [Midnight]
SELECT mutate('ledger_sweep_wallet', $m$UPDATE user_wallet SET due_at = p_now WHERE user_id = p_user AND due_at > p_now;$m$, $m$$m$);

-- sweep: finds what is held for ever [Midnight]
SELECT mutate('ledger_sweep_lots', $m$ AND remaining > reserved$m$, $m$$m$);

-- sweep: all at once [Midnight]
SELECT mutate('ledger_sweep_holds', $m$LIMIT p_batch$m$, $m$$m$);

-- days: closed while rows may come [Audit]
SELECT mutate('ledger_close_days', $m$interval '10 minutes'$m$, $m$interval '0'$m$);

-- days: closed without a line in the log [Audit]
SELECT mutate('ledger_close_days', $m$IF v_count > 0 THEN$m$, $m$IF false THEN$m$);

-- days: forget the log's head [Audit]
SELECT mutate('ledger_close_days', $m$p_now, v_head.sequence, v_head.hash$m$, $m$p_now, NULL, NULL$m$);
SELECT mutate('ledger_close_days', $m$v_last.digest, v_head.sequence, v_head.hash)$m$, $m$v_last.digest, NULL, NULL)$m$);

-- days: the digest without the log [Audit]
SELECT mutate('ledger_day_digest(date, bytea, bigint, bytea)', $m$|| encode(p_audit_hash, 'hex')$m$, $m$$m$);

-- days: the digest without the heads [Audit]
SELECT mutate('ledger_day_digest(date, bytea, bigint, bytea)', $m$encode(hash, 'hex')$m$, $m$''$m$);

-- log: the head stands still [Audit]
SELECT mutate('append_audit', $m$UPDATE audit_log_head SET sequence = head.sequence, hash = head.hash;$m$, $m$$m$);

-- log: its head is not looked at [Audit]
SELECT mutate('verify_audit', $m$WHERE (head.sequence, head.hash) IS DISTINCT FROM (last.sequence, coalesce(l.hash, ''))$m$, $m$WHERE false$m$);

-- log: the days are not looked at [Audit]
SELECT mutate('verify_audit', $m$WHERE d.audit_sequence > 0$m$, $m$WHERE false$m$);

-- guard: the history may be changed [Safety]
SELECT mutate('ledger_is_append_only', $m$IF current_user$m$, $m$IF false AND current_user$m$);

-- guard: legs need not balance [Safety]
SELECT mutate('ledger_legs_balance', $m$HAVING sum(amount) <> 0$m$, $m$HAVING false$m$);

-- guard: a wallet need not be its lots [Safety]
ALTER TABLE user_wallet DISABLE TRIGGER wallet_is_its_lots;

-- guard: a month may be emptied [Safety]
DROP TRIGGER never_truncated ON transaction_history_default;

-- guard: the coming months may be emptied [Safety]
SELECT mutate('ledger_make_partitions', $m$BEFORE TRUNCATE ON %I FOR EACH STATEMENT$m$, $m$BEFORE UPDATE ON %I FOR EACH STATEMENT$m$);

-- guard: somebody granted the change of texts [Safety]
GRANT UPDATE (description) ON transaction_history TO companion_operator;GRANT UPDATE (id) ON transaction_history TO companion_operator;

-- guard: somebody granted a month [Safety]
GRANT SELECT ON transaction_history_default TO companion_app;

-- guard: everybody sees every wallet [Safety]
ALTER TABLE user_wallet DISABLE ROW LEVEL SECURITY;

-- guard: anybody may make tables [Safety]
GRANT CREATE ON SCHEMA public TO PUBLIC;

-- guard: the books may be shadowed [Safety]
ALTER FUNCTION ledger_grant(uuid, text, text, numeric, text, timestamptz, text, jsonb, timestamptz) SET search_path = pg_temp, public;

-- piece: five places [Refusals]
SELECT mutate('ledger_is_amount', $m$round(p_amount, 4)$m$, $m$round(p_amount, 5)$m$);

-- piece: bonus before purchased [Operations]
SELECT mutate('ledger_bucket_rank', $m$WHEN 'purchased' THEN 2$m$, $m$WHEN 'purchased' THEN 4$m$);

-- piece: days end a day later [Midnight]
SELECT mutate('ledger_midnight_after', $m$interval '1 day'$m$, $m$interval '2 days'$m$);

-- piece: days of another place [Midnight]
SELECT mutate('ledger_day', $m$'UTC'$m$, $m$'Asia/Tokyo'$m$);

-- piece: charges are booked as issuance [Operations]
SELECT mutate('ledger_capture', $m$operator:usage_revenue$m$, $m$operator:issuance$m$);

-- piece: adjustments are booked as issuance [Operations]
SELECT mutate('ledger_adjust', $m$operator:adjustment$m$, $m$operator:issuance$m$);

-- piece: expiry is booked as issuance [Operations]
SELECT mutate('ledger_expire_lots', $m$operator:expiry$m$, $m$operator:issuance$m$);

-- piece: what was held stays held [Operations]
SELECT mutate('ledger_release', $m$w.held := w.held - v_part.amount;$m$, $m$$m$);

-- list: a page repeats the last row [Operations]
SELECT mutate('ledger_transactions', $m$(created_at, sequence, id) < ($5, $6, $7)$m$, $m$(created_at, sequence, id) <= ($5, $6, $7)$m$);

-- list: counts every kind [Operations]
SELECT mutate('ledger_count_transactions', $m$THEN ' AND kind = $2'$m$, $m$THEN ''$m$);

-- list: an end that is inside [Operations]
SELECT mutate('ledger_transactions', $m$' AND created_at < $4'$m$, $m$' AND created_at <= $4'$m$);

-- audit: blind to row_changed [Audit]
SELECT mutate('ledger_audit', $m$('row_changed', NOT c.whole,$m$, $m$('row_changed', false,$m$);

-- audit: blind to text_changed [Audit]
SELECT mutate('ledger_audit', $m$('text_changed', CASE WHEN c.text_digest IS NULL$m$, $m$('text_changed', CASE WHEN true$m$);

-- audit: blind to text_changed of the erased [Audit]
SELECT mutate('ledger_audit', $m$WHEN c.text_salt IS NULL THEN c.description <> '' OR c.metadata <> '{}'$m$, $m$WHEN c.text_salt IS NULL THEN false$m$);

-- audit: blind to sequence_gap [Audit]
SELECT mutate('ledger_audit', $m$('sequence_gap', c.sequence <> coalesce(c.prev_sequence, 0) + 1,$m$, $m$('sequence_gap', false,$m$);

-- audit: blind to chain_broken [Audit]
SELECT mutate('ledger_audit', $m$AND c.prev_hash <> coalesce(c.before_hash$m$, $m$AND false AND c.prev_hash <> coalesce(c.before_hash$m$);

-- audit: blind to running_balance [Audit]
SELECT mutate('ledger_audit', $m$AND (c.after_daily_free, c.after_purchased, c.after_bonus)
$m$, $m$AND false AND (c.after_daily_free, c.after_purchased, c.after_bonus)
$m$);

-- audit: blind to parts_changed [Audit]
SELECT mutate('ledger_audit', $m$AND t.parts_digest IS NOT NULL$m$, $m$AND false$m$);

-- audit: blind to head_mismatch [Audit]
SELECT mutate('ledger_audit', $m$('head_mismatch', (w.sequence$m$, $m$('head_mismatch', false AND (w.sequence$m$);

-- audit: blind to balance_mismatch [Audit]
SELECT mutate('ledger_audit', $m$('balance_mismatch', (w.daily_free$m$, $m$('balance_mismatch', false AND (w.daily_free$m$);

-- audit: blind to day_mismatch [Audit]
SELECT mutate('ledger_audit', $m$AND (w.granted_today <> coalesce(d.granted, 0) OR$m$, $m$AND (false OR$m$);

-- audit: blind to day_mismatch of the day [Audit]
SELECT mutate('ledger_audit', $m$OR coalesce(l.day > w.refreshed_on, l.day IS NOT NULL)$m$, $m$$m$);

-- audit: blind to refreshed_twice [Audit]
SELECT mutate('ledger_audit', $m$WHERE d.refreshes > 1$m$, $m$WHERE false$m$);

-- audit: blind to lot_mismatch [Audit]
SELECT mutate('ledger_audit', $m$('lot_mismatch', (w.daily_free$m$, $m$('lot_mismatch', false AND (w.daily_free$m$);

-- audit: blind to due_mismatch [Audit]
SELECT mutate('ledger_audit', $m$('due_mismatch', w.due_at > l.due,$m$, $m$('due_mismatch', false,$m$);

-- audit: blind to lot_history [Audit]
SELECT mutate('ledger_audit', $m$WHERE coalesce(l.remaining, 0) <> coalesce(g.amount, 0);$m$, $m$WHERE false;$m$);

-- audit: blind to reserved_mismatch [Audit]
SELECT mutate('ledger_audit', $m$AND l.reserved <> coalesce(h.amount, 0);$m$, $m$AND false;$m$);

-- audit: blind to legs_unbalanced [Audit]
SELECT mutate('ledger_audit', $m$WHERE (t.id IS NULL OR t.amount <> 0)$m$, $m$WHERE t.id IS NULL$m$);

-- audit: blind to legs_without_row [Audit]
SELECT mutate('ledger_audit', $m$WHERE (t.id IS NULL OR t.amount <> 0)$m$, $m$WHERE t.amount <> 0$m$);

-- audit: blind to charge_mismatch [Audit]
SELECT mutate('ledger_audit', $m$IS DISTINCT FROM (coalesce(t.daily_free, 0), coalesce(t.purchased, 0), coalesce(t.bonus, 0), t.id);$m$, $m$IS NULL;$m$);

-- audit: blind to hold_mismatch [Audit]
SELECT mutate('ledger_audit', $m$('hold_mismatch', h.amount <> coalesce(parts.amount, 0) OR NOT coalesce(parts.own, true),$m$, $m$('hold_mismatch', false,$m$);

-- audit: blind to hold_overdue [Audit]
SELECT mutate('ledger_audit', $m$('hold_overdue', h.state = 'held'$m$, $m$('hold_overdue', false$m$);

-- audit: blind to reversal_mismatch [Audit]
SELECT mutate('ledger_audit', $m$WHERE (t.user_id, t.reverses) IS DISTINCT FROM (r.user_id, r.original_id);$m$, $m$WHERE false;$m$);

-- audit: blind to operation_mismatch, what forgot its key [Audit]
SELECT mutate('ledger_audit', $m$WHERE o.user_id IS NULL
$m$, $m$WHERE false
$m$);

-- audit: blind to operation_mismatch, what is gone [Audit]
SELECT mutate('ledger_audit', $m$OR (done.id IS NULL AND NOT EXISTS$m$, $m$OR (false AND NOT EXISTS$m$);

-- audit: blind to tail_missing [Audit]
SELECT mutate('ledger_audit', $m$WHERE t.id IS NULL AND (p_user IS NULL OR d.user_id = p_user);$m$, $m$WHERE false;$m$);

-- audit: blind to day_changed [Audit]
SELECT mutate('ledger_audit', $m$AND (d.digest <> ledger_day_digest$m$, $m$AND (false AND d.digest <> ledger_day_digest$m$);

-- audit: blind to day_missing [Audit]
SELECT mutate('ledger_audit', $m$WHERE p_user IS NULL AND a.act = 'books.close_days'$m$, $m$WHERE false$m$);

-- together: a wallet is not locked [Concurrency]
SELECT mutate('ledger_lock_plain', $m$FOR UPDATE SKIP LOCKED$m$, $m$$m$);

-- together: what is due is left [AgainstModel]
SELECT mutate('ledger_lock_plain', $m$w.due_at > p_now AND$m$, $m$$m$);

-- together: who owes is served [AgainstModel]
SELECT mutate('ledger_lock_plain', $m$AND w.debt = 0$m$, $m$$m$);

-- together: a user counts twice [Concurrency]
SELECT mutate('ledger_hold_many', $m$DISTINCT ON (r.user_id) r.n$m$, $m$r.n$m$);

-- together: whoever has nothing may hold [AgainstModel]
SELECT mutate('ledger_hold_many', $m$AND w.daily_free + w.purchased + w.bonus - w.held >= r.amount$m$, $m$$m$);

-- together: what is held is held again [AgainstModel]
SELECT mutate('ledger_hold_many', $m$w.bonus - w.held >= r.amount$m$, $m$w.bonus >= r.amount$m$);

-- together: the day is not refreshed [AgainstModel]
SELECT mutate('ledger_hold_many', $m$AND least(w.refreshed_on, w.active_on) >= ledger_day(greatest(p_now, w.last_at))$m$, $m$$m$);

-- together: a deadline that is over [AgainstModel]
SELECT mutate('ledger_hold_many', $m$r.expires_at > p_now AND$m$, $m$$m$);

-- together: a used key holds again [AgainstModel]
SELECT mutate('ledger_hold_many', $m$d.user_id = r.user_id AND d.key = r.key$m$, $m$false$m$);

-- together: its deadline is not looked at [AgainstModel]
SELECT mutate('ledger_hold_many', $m$, due_at = least(w.due_at, o.expires_at)$m$, $m$$m$);

-- together: what never expires goes first [AgainstModel]
SELECT mutate('ledger_hold_many', $m$NULLS LAST$m$, $m$NULLS FIRST$m$);

-- together: of two alike the younger first [AgainstModel]
SELECT mutate('ledger_hold_many', $m$NULLS LAST, f.sequence$m$, $m$NULLS LAST, f.sequence DESC$m$);

-- together: the oldest lot first, whatever its bucket [AgainstModel]
SELECT mutate('ledger_hold_many', $m$ledger_bucket_rank(f.bucket), $m$, $m$$m$);

-- together: the key is not remembered [AgainstModel]
SELECT mutate('ledger_hold_many', $m$o.held + o.amount
        FROM o$m$, $m$o.held + o.amount
        FROM o WHERE false$m$);

-- together: a closed hold is captured again [AgainstModel]
SELECT mutate('ledger_capture_many', $m$AND h.state = 'held'$m$, $m$$m$);

-- together: more than was held [AgainstModel]
SELECT mutate('ledger_capture_many', $m$AND r.amount <= h.amount$m$, $m$$m$);

-- together: the last lots are charged first [AgainstModel]
SELECT mutate('ledger_capture_many', $m$PARTITION BY o.n ORDER BY hl.position$m$, $m$PARTITION BY o.n ORDER BY hl.position DESC$m$);

-- together: a charge releases only what it takes [AgainstModel]
SELECT mutate('ledger_capture_many', $m$reserved = l.reserved - p.reserved$m$, $m$reserved = l.reserved - p.take$m$);

-- together: the row does not follow from the one before [AgainstModel]
SELECT mutate('ledger_capture_many', $m$, o.head_hash, NULL$m$, $m$, sha256(o.head_hash), NULL$m$);

-- together: time goes back [AgainstModel]
SELECT mutate('ledger_capture_many', $m$greatest(p_now, o.last_at)$m$, $m$p_now$m$);

-- together: the wallet forgets its head [AgainstModel]
SELECT mutate('ledger_capture_many', $m$, head_hash = (e.entry).hash$m$, $m$$m$);
