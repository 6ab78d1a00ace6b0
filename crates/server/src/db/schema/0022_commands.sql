-- Commands on machines. The script and the output are sealed, bound to the token. Whoever works on one moves alive_ms on.
CREATE TABLE commands (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL,
    reason TEXT,
    token TEXT NOT NULL UNIQUE,
    sealed_script TEXT NOT NULL,
    parallel BIGINT NOT NULL,
    timeout_seconds BIGINT NOT NULL,
    total BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    alive_ms BIGINT NOT NULL
);
CREATE INDEX commands_account ON commands (account_id, id);
CREATE INDEX commands_open ON commands (id) WHERE state IN ('queued', 'running');

-- A machine may be gone before its command is, so its name is kept.
CREATE TABLE command_machines (
    number {id},
    command_id BIGINT NOT NULL REFERENCES commands (id) ON DELETE CASCADE,
    machine_id TEXT NOT NULL,
    machine_name TEXT NOT NULL,
    state TEXT NOT NULL,
    exit_code BIGINT,
    reason TEXT,
    output_bytes BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    UNIQUE (command_id, machine_id)
);

CREATE TABLE command_output (
    number {id},
    command_id BIGINT NOT NULL REFERENCES commands (id) ON DELETE CASCADE,
    machine_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    sealed_text TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX command_output_command ON command_output (command_id, number);

-- The key that a machine has to show to whoever logs in with the key of this association.
ALTER TABLE key_machines ADD COLUMN host_key TEXT;
ALTER TABLE key_machines ADD COLUMN host_key_fingerprint TEXT;
