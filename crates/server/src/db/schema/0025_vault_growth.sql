-- How large each vault was on each day: day is counted from 1970.
CREATE TABLE vault_sizes (
    vault_id TEXT NOT NULL REFERENCES vaults (id),
    day BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    snapshots BIGINT NOT NULL,
    PRIMARY KEY (vault_id, day)
);
