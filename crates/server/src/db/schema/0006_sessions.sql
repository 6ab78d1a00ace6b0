-- Browsers that are signed in. last_used_ms is written at most every few minutes.
CREATE TABLE sessions (
    id {id},
    user_id BIGINT NOT NULL REFERENCES users (id),
    secret_hash TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    last_used_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_used ON sessions (last_used_ms);
