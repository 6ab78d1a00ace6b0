-- Errors of single files, as an agent sent them together: `count` of them, of which `first` is the number of the first.
CREATE TABLE run_errors (
    kind TEXT NOT NULL,
    run_id BIGINT NOT NULL,
    first BIGINT NOT NULL,
    count BIGINT NOT NULL,
    errors TEXT NOT NULL,
    PRIMARY KEY (kind, run_id, first)
);
