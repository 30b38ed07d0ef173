-- How many webhooks were refused in the last minute: of what anybody may send only so much is kept.
CREATE INDEX payment_events_refused_lately ON payment_events (received_at) WHERE event_id IS NULL;
