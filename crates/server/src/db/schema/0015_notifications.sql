CREATE TABLE notification_channels (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    topics TEXT NOT NULL,
    sealed_target TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    delivered_ms BIGINT,
    error TEXT
);
CREATE INDEX notification_channels_account ON notification_channels (account_id, id);

-- What waits to be delivered, and when it is tried next.
CREATE TABLE notifications (
    id {id},
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    channel_id BIGINT NOT NULL REFERENCES notification_channels (id),
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_ms BIGINT NOT NULL
);
CREATE INDEX notifications_channel ON notifications (channel_id, id);
CREATE INDEX notifications_due ON notifications (next_ms);
