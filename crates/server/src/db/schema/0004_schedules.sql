-- Slots of a schedule are decided in order: all up to decided_ms have their row. owed: a missed one is to be made up for.
ALTER TABLE backup_configurations ADD COLUMN timezone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE backup_configurations ADD COLUMN spread_minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup_configurations ADD COLUMN missed TEXT NOT NULL DEFAULT 'asap';
ALTER TABLE backup_configurations ADD COLUMN retention TEXT NOT NULL DEFAULT '{}';
ALTER TABLE backup_configurations ADD COLUMN notification_email TEXT;
ALTER TABLE backup_configurations ADD COLUMN notify_success BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup_configurations ADD COLUMN notify_failure BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup_configurations ADD COLUMN decided_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup_configurations ADD COLUMN next_due_ms BIGINT;
ALTER TABLE backup_configurations ADD COLUMN owed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX backup_configurations_due ON backup_configurations (next_due_ms) WHERE next_due_ms IS NOT NULL;
CREATE INDEX backup_configurations_owed ON backup_configurations (id) WHERE owed = 1;
CREATE INDEX backup_configurations_decided ON backup_configurations (decided_ms);

ALTER TABLE backups ADD COLUMN origin TEXT NOT NULL DEFAULT 'asked';
ALTER TABLE backups ADD COLUMN slot_ms BIGINT;
CREATE UNIQUE INDEX backups_slot ON backups (configuration_id, slot_ms);
