-- One row each time a condition begins. noun and noun_id say what it is about.
CREATE TABLE alarms (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    noun TEXT NOT NULL,
    noun_id TEXT NOT NULL,
    message TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    acknowledged_ms BIGINT,
    acknowledged_by TEXT,
    closed_ms BIGINT
);
CREATE INDEX alarms_account ON alarms (account_id, id);
CREATE UNIQUE INDEX alarms_open ON alarms (account_id, kind, noun, noun_id) WHERE closed_ms IS NULL;

CREATE INDEX backups_good ON backups (configuration_id, completed_ms) WHERE snapshot_id IS NOT NULL;
