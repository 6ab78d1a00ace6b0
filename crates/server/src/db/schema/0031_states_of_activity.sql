-- Activities of one state, and those that go on, without a look at all the others.
CREATE INDEX backups_state ON backups (account_id, state, created_ms, id);
CREATE INDEX backups_going_on ON backups (account_id, created_ms, id)
    WHERE state IN ('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested');
