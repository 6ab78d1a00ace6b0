-- Checks and cleanups of sealed vaults, in the hands of their agents: `of_id` is the row of `checks` or `cleanups`. Until
-- `granted_until_ms`, and while it goes on, what the agent deletes goes to the trash.
CREATE TABLE upkeeps (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    kind TEXT NOT NULL,
    of_id BIGINT NOT NULL,
    granted_until_ms BIGINT,
    state TEXT NOT NULL,
    reason TEXT,
    progress TEXT NOT NULL,
    errors TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    duration_ms BIGINT
);
CREATE UNIQUE INDEX upkeeps_of ON upkeeps (kind, of_id);
CREATE INDEX upkeeps_active ON upkeeps (agent_id)
    WHERE state IN ('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested');
