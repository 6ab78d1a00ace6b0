-- In bytes. An empty vault_id stands for all vaults of the account.
CREATE TABLE quotas (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    vault_id TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (account_id, vault_id)
);
