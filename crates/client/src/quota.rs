//! Quotas: how much room backups may take.

use roadstead_api::{
    PageQuery,
    id::VaultId,
    quota::{NewQuota, Quota, QuotaDelete, QuotaList, QuotaSet, QuotaSubject},
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the quotas. Talks to the server.
    pub async fn quotas(&self) -> Result<Vec<Quota>> {
        self.list_all::<QuotaList, _>((), PageQuery::default()).await
    }

    /// Sets the quota of a vault, or without one that of the account, in bytes. Talks to the server.
    pub async fn set_quota(&self, vault: Option<&VaultId>, bytes: u64) -> Result<Quota> {
        self.call::<QuotaSet>(&(), &(), &NewQuota { vault_id: vault.cloned(), bytes }).await
    }

    /// Removes the quota of a vault, or without one that of the account. Talks to the server.
    pub async fn delete_quota(&self, vault: Option<&VaultId>) -> Result<()> {
        self.call::<QuotaDelete>(&(), &(), &QuotaSubject { vault_id: vault.cloned() }).await
    }
}
