CREATE TABLE mail_settings (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    security TEXT NOT NULL,
    username TEXT,
    sealed_password TEXT,
    ca TEXT,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    digest_at TEXT,
    timezone TEXT NOT NULL,
    digest_due_ms BIGINT,
    delivered_ms BIGINT,
    error TEXT
);

-- What waits to be taken by the SMTP server, a row for each recipient, and when it is tried next.
CREATE TABLE mails (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_ms BIGINT NOT NULL
);
CREATE INDEX mails_account ON mails (account_id, id);
CREATE INDEX mails_due ON mails (next_ms);
