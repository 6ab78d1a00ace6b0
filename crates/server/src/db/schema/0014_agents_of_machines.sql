-- What an agent told of its host beside its columns, as JSON, and when its last backup ended that can be restored.
ALTER TABLE agents ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
ALTER TABLE agents ADD COLUMN last_good_ms BIGINT;
UPDATE agents SET last_good_ms = (SELECT MAX(completed_ms) FROM backups
    WHERE backups.agent_id = agents.id AND backups.snapshot_id IS NOT NULL);

-- Which machine an agent runs on. Without a machine where somebody has said that it is none. The machine may vanish
-- from its backend's list, and come back.
CREATE TABLE agent_machines (
    agent_id BIGINT NOT NULL PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    machine_id TEXT,
    joined_by TEXT NOT NULL,
    joined_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX agent_machines_machine ON agent_machines (machine_id);

-- What machines and agents are known by: addresses, and ids that clouds give.
CREATE TABLE machine_marks (
    machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    mark TEXT NOT NULL,
    PRIMARY KEY (machine_id, mark)
);
CREATE INDEX machine_marks_mark ON machine_marks (account_id, mark);
CREATE TABLE agent_marks (
    agent_id BIGINT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    mark TEXT NOT NULL,
    PRIMARY KEY (agent_id, mark)
);
CREATE INDEX agent_marks_mark ON agent_marks (account_id, mark);
CREATE INDEX backup_configurations_agent ON backup_configurations (agent_id);

-- What has happened to machines. What is gone is no longer in machines, and has its history still.
CREATE TABLE machine_history (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    backend_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    name TEXT NOT NULL,
    what TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX machine_history_machine ON machine_history (machine_id, id);
CREATE INDEX machine_history_at ON machine_history (at_ms);
