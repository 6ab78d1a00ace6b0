-- Work on vaults in the background. input, progress and report are JSON. stop_asked: somebody wants it to end.
CREATE TABLE vault_tasks (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    kind TEXT NOT NULL,
    input TEXT NOT NULL,
    slot_ms BIGINT,
    state TEXT NOT NULL,
    stop_asked BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    progress TEXT NOT NULL,
    report TEXT,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT
);
CREATE UNIQUE INDEX vault_tasks_slot ON vault_tasks (vault_id, kind, slot_ms);
CREATE INDEX vault_tasks_newest ON vault_tasks (account_id, kind, created_ms, id);
CREATE INDEX vault_tasks_vault ON vault_tasks (vault_id, id);
CREATE INDEX vault_tasks_active ON vault_tasks (id) WHERE state IN ('queued', 'in_progress');

-- When the vaults of an account are drilled, where it does not have the usual settings.
CREATE TABLE drill_settings (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    every_days BIGINT NOT NULL,
    files BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
