-- Jobs that put agents on machines say which, and what they have started. An enrolment token may say what the machine of
-- its agent is to be protected with.
ALTER TABLE jobs ADD COLUMN agent_id BIGINT;
ALTER TABLE jobs ADD COLUMN backup_id BIGINT;
ALTER TABLE jobs ADD COLUMN restore_id BIGINT;
ALTER TABLE enrolment_tokens ADD COLUMN protection TEXT;
