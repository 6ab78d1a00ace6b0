CREATE TABLE cleanups (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    slot_ms BIGINT,
    state TEXT NOT NULL,
    reason TEXT,
    report TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT
);
CREATE UNIQUE INDEX cleanups_slot ON cleanups (vault_id, slot_ms);
CREATE INDEX cleanups_newest ON cleanups (account_id, created_ms, id);
CREATE INDEX cleanups_active ON cleanups (id) WHERE state IN ('queued', 'in_progress');

-- Periodic checks read one part of the data of so many.
ALTER TABLE checks ADD COLUMN slot_ms BIGINT;
ALTER TABLE checks ADD COLUMN part BIGINT NOT NULL DEFAULT 0;
ALTER TABLE checks ADD COLUMN parts BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX checks_slot ON checks (vault_id, slot_ms);

-- When retention gave up the files of a backup.
ALTER TABLE backups ADD COLUMN forgotten_ms BIGINT;
CREATE INDEX backups_vault ON backups (vault_id, configuration_id, id);
