-- Tokens of the RCBU facade, and the fingerprint of the API key that each was given for, if it was one.
CREATE TABLE rcbu_tokens (
    hash TEXT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    user_id BIGINT NOT NULL,
    api_key_hash TEXT,
    password_hash TEXT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX rcbu_tokens_expires ON rcbu_tokens (expires_ms);

-- How clients of the facade wrote what a configuration keeps in another form, so that they read back what they sent.
CREATE TABLE rcbu_writings (
    configuration_id BIGINT NOT NULL PRIMARY KEY REFERENCES backup_configurations (id),
    writing TEXT NOT NULL
);
