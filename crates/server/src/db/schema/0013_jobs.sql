-- The input is sealed, and taken away when the job has ended. token is given to clouds that make an order once by it.
-- Whoever works on a job moves alive_ms on.
CREATE TABLE jobs (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    backend_id TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    sealed_input TEXT NOT NULL,
    machine_ids TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    log TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    completed_ms BIGINT,
    alive_ms BIGINT NOT NULL
);
CREATE INDEX jobs_account ON jobs (account_id, id);
CREATE INDEX jobs_open ON jobs (id) WHERE state IN ('queued', 'running');
