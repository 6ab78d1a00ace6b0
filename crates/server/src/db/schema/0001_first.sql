-- Times are milliseconds since 1970, UTC. Lists and reports are JSON text. Flags are 0 or 1.

CREATE TABLE accounts (
    id {id},
    name TEXT NOT NULL,
    sealed_key TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE users (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id {id},
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);

CREATE TABLE agents (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    public_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    credential_hash TEXT NOT NULL UNIQUE,
    hostname TEXT NOT NULL,
    os TEXT NOT NULL,
    arch TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    last_seen_ms BIGINT
);
CREATE INDEX agents_account ON agents (account_id, id);

CREATE TABLE enrolment_tokens (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    secret_hash TEXT NOT NULL UNIQUE,
    expires_ms BIGINT NOT NULL,
    fingerprint TEXT,
    agent_id BIGINT REFERENCES agents (id),
    created_ms BIGINT NOT NULL
);

CREATE TABLE vaults (
    id TEXT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    mode TEXT NOT NULL,
    sealed_password TEXT,
    created_ms BIGINT NOT NULL
);
CREATE INDEX vaults_account ON vaults (account_id, id);
CREATE UNIQUE INDEX vaults_agent ON vaults (agent_id);

-- Copies of the files without which a vault cannot be opened at all, in base64.
CREATE TABLE vault_headers (
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (vault_id, kind, name)
);

-- When each snapshot arrived, by the server's clock, and who sent it.
CREATE TABLE vault_snapshots (
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    arrived_ms BIGINT NOT NULL,
    PRIMARY KEY (vault_id, name)
);

-- Who made each lock file: only its maker may remove it.
CREATE TABLE vault_locks (
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (vault_id, name)
);

CREATE TABLE backup_configurations (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    name TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    inclusions TEXT NOT NULL,
    exclusions TEXT NOT NULL,
    schedule TEXT NOT NULL,
    run_count BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    deleted_ms BIGINT
);
CREATE INDEX backup_configurations_account ON backup_configurations (account_id, id);

CREATE TABLE backups (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    configuration_id BIGINT NOT NULL REFERENCES backup_configurations (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    name TEXT NOT NULL,
    restore_count BIGINT NOT NULL,
    snapshot_id TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    progress TEXT NOT NULL,
    errors TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    duration_ms BIGINT
);
CREATE INDEX backups_account ON backups (account_id, id);
CREATE UNIQUE INDEX backups_one_active ON backups (configuration_id)
    WHERE state IN ('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested');
CREATE INDEX backups_active ON backups (agent_id)
    WHERE state IN ('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested');

CREATE TABLE restores (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    backup_id BIGINT NOT NULL REFERENCES backups (id),
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    inclusions TEXT NOT NULL,
    overwrite BIGINT NOT NULL,
    files_skipped BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    progress TEXT NOT NULL,
    errors TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    duration_ms BIGINT
);
CREATE INDEX restores_account ON restores (account_id, id);
CREATE INDEX restores_active ON restores (agent_id)
    WHERE state IN ('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested');

CREATE TABLE checks (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    read_data BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    report TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    completed_ms BIGINT
);
CREATE INDEX checks_active ON checks (id) WHERE state IN ('queued', 'in_progress');
