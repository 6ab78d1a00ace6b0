CREATE TABLE restore_configurations (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    backup_id BIGINT NOT NULL REFERENCES backups (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    path TEXT NOT NULL,
    inclusions TEXT NOT NULL,
    exclusions TEXT NOT NULL,
    overwrite BIGINT NOT NULL,
    notification_email TEXT,
    notify_success BIGINT NOT NULL,
    notify_failure BIGINT NOT NULL,
    run_count BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    deleted_ms BIGINT
);
CREATE INDEX restore_configurations_account ON restore_configurations (account_id, id);

ALTER TABLE restores ADD COLUMN configuration_id BIGINT REFERENCES restore_configurations (id);
ALTER TABLE restores ADD COLUMN source_agent_id BIGINT REFERENCES agents (id);
ALTER TABLE restores ADD COLUMN exclusions TEXT NOT NULL DEFAULT '[]';
UPDATE restores SET source_agent_id = (SELECT agent_id FROM backups WHERE backups.id = restores.backup_id);
CREATE INDEX restores_configuration ON restores (configuration_id, id);

-- Activity: the newest of an account, and the newest of an agent.
CREATE INDEX backups_newest ON backups (account_id, created_ms, id);
CREATE INDEX backups_agent_newest ON backups (agent_id, created_ms, id);
CREATE INDEX restores_newest ON restores (account_id, created_ms, id);
CREATE INDEX checks_newest ON checks (account_id, created_ms, id);
