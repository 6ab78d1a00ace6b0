-- An agent that is deleted keeps its row, since its runs stay known. A vault that is retired is no longer backed up to: its
-- agent was deleted, or has another. One that is deleted has files until removed_ms.
ALTER TABLE agents ADD COLUMN deleted_ms BIGINT;
ALTER TABLE vaults ADD COLUMN retired_ms BIGINT;
ALTER TABLE vaults ADD COLUMN deleted_ms BIGINT;
ALTER TABLE vaults ADD COLUMN removed_ms BIGINT;
DROP INDEX vaults_agent;
CREATE UNIQUE INDEX vaults_agent ON vaults (agent_id) WHERE retired_ms IS NULL;
-- A backup that another agent restores is shown to it under a password of that restore's own.
ALTER TABLE restores ADD COLUMN sealed_view TEXT;
CREATE INDEX vaults_to_remove ON vaults (deleted_ms) WHERE deleted_ms IS NOT NULL AND removed_ms IS NULL;
