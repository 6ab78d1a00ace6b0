-- SSH keys. The private half is sealed, and stands there without a passphrase. The public half has no comment.
CREATE TABLE keys (
    number {id},
    id TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    bits BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sealed_private TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (account_id, name)
);
CREATE INDEX keys_account ON keys (account_id, number);

ALTER TABLE accounts ADD COLUMN default_key_id TEXT;
