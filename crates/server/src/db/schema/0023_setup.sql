ALTER TABLE users ADD COLUMN password_changed_ms BIGINT;

CREATE TABLE setup (
    name TEXT NOT NULL PRIMARY KEY,
    done_ms BIGINT NOT NULL
);

CREATE TABLE saved_views (
    id {id},
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    noun TEXT NOT NULL,
    query TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (user_id, noun, name)
);
