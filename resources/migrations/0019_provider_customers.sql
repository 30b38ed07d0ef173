-- What a provider calls a user of ours, known before anything is bought: one customer there for all purchases.
CREATE TABLE provider_customers (
    provider   text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    user_id    uuid NOT NULL REFERENCES users,
    reference  text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (provider, user_id),
    UNIQUE (provider, reference)
);
SELECT protect_user_rows('provider_customers', '', 'SELECT, INSERT, UPDATE (reference), DELETE');
INSERT INTO provider_customers (provider, user_id, reference, created_at)
SELECT DISTINCT ON (provider, customer) * FROM (
    SELECT DISTINCT ON (provider, user_id) provider, user_id, customer, created_at FROM subscriptions
     WHERE customer IS NOT NULL ORDER BY provider, user_id, created_at DESC) AS newest
 ORDER BY provider, customer, created_at DESC;
