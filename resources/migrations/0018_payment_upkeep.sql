-- What a webhook only hints at has to be looked up at its provider: kept, so that a lookup that failed is done again.
ALTER TABLE payment_events ADD COLUMN look_up jsonb;

-- How many webhooks were refused in the last minute: of what anybody may send only so much is kept.
CREATE INDEX payment_events_refused_lately ON payment_events (received_at) WHERE event_id IS NULL;
