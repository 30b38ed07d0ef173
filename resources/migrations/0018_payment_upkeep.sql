-- What a webhook only hints at has to be looked up at its provider: kept, so that a lookup that failed is done again.
ALTER TABLE payment_events ADD COLUMN look_up jsonb;
