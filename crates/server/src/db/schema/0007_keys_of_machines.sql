-- Which keys let one in to which machines, as whom and where. The host is the machine's own address where absent.
CREATE TABLE key_machines (
    number {id},
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    username TEXT NOT NULL,
    port BIGINT NOT NULL,
    host TEXT,
    created_ms BIGINT NOT NULL,
    UNIQUE (key_id, machine_id)
);
CREATE INDEX key_machines_machine ON key_machines (machine_id);

-- Creates that were asked for with a key of the caller's. The reply, sealed, is absent until it is known.
CREATE TABLE idempotency_keys (
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    target TEXT NOT NULL,
    sealed_reply TEXT,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_ms);
