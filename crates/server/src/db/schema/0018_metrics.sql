-- How busy machines are. A row holds the points of one step (in seconds) that begin within a chunk of time, which begins
-- at so many seconds since 1970: each a line of numbers.
CREATE TABLE metrics (
    agent_id BIGINT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    step BIGINT NOT NULL,
    chunk BIGINT NOT NULL,
    points TEXT NOT NULL,
    PRIMARY KEY (agent_id, step, chunk)
);
CREATE INDEX metrics_chunk ON metrics (step, chunk);
