-- The fields are sealed. The fingerprint, made with the account's key, tells whether the same credentials were given
-- before. next_refresh_ms is absent where nobody is to ask until somebody says so.
CREATE TABLE backends (
    number {id},
    id TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    title TEXT NOT NULL,
    provider TEXT NOT NULL,
    region TEXT,
    search TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    sealed_fields TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pins TEXT NOT NULL,
    generation BIGINT NOT NULL,
    machine_count BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    asked_ms BIGINT NOT NULL,
    refreshed_ms BIGINT,
    next_refresh_ms BIGINT,
    hurry_until_ms BIGINT NOT NULL
);
CREATE INDEX backends_account ON backends (account_id, number);
CREATE INDEX backends_due ON backends (next_refresh_ms);
CREATE UNIQUE INDEX backends_credentials ON backends (account_id, provider, fingerprint);

-- What a backend was last seen to hold. facts is the machine as the API shows it, hash tells whether it has changed.
-- search and tags are what filters look into, a line for each value.
CREATE TABLE machines (
    number {id},
    id TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    backend_id TEXT NOT NULL REFERENCES backends (id),
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    search TEXT NOT NULL,
    tags TEXT NOT NULL,
    facts TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX machines_account ON machines (account_id, number);
CREATE INDEX machines_state ON machines (account_id, state, number);
CREATE INDEX machines_backend ON machines (backend_id, number);
CREATE UNIQUE INDEX machines_external ON machines (backend_id, external_id);
