-- Passwords are encrypted to the agent, and taken away when the sealing has ended.
CREATE TABLE sealings (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    kind TEXT NOT NULL,
    passwords TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    progress TEXT NOT NULL,
    errors TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    duration_ms BIGINT
);
CREATE INDEX sealings_account ON sealings (account_id, id);
CREATE UNIQUE INDEX sealings_one_active ON sealings (agent_id)
    WHERE state IN ('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested');

-- The password of a sealed vault, encrypted to the agent that a restore of it runs on.
ALTER TABLE restores ADD COLUMN encrypted_password TEXT;
