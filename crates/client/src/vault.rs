//! Vaults: the repositories that hold backup data.

use roadstead_api::{
    PageQuery,
    id::VaultId,
    vault::{
        self, GrowthQuery, VaultDelete, VaultGrowth, VaultGrowthShow, VaultKey, VaultKeyExport, VaultList,
        VaultShow, VaultStats, VaultStatsShow,
    },
};

use crate::{Client, Handle, error::Result};

/// A vault.
pub type Vault = Handle<vault::Vault>;

impl Client {
    /// Lists the vaults, oldest first. Talks to the server.
    pub async fn vaults(&self) -> Result<Vec<Vault>> {
        Ok(Handle::all(self, self.list_all::<VaultList, _>((), PageQuery::default()).await?))
    }

    /// Reads one vault. Talks to the server.
    pub async fn get_vault(&self, id: &VaultId) -> Result<Vault> {
        Ok(Handle::new(self, self.call::<VaultShow>(id, &(), &()).await?))
    }
}

impl Vault {
    /// Deletes it, with every backup in it. Not while an agent backs up to it. Talks to the server.
    pub async fn delete(&self) -> Result<()> {
        self.client.call::<VaultDelete>(&self.id, &(), &()).await
    }

    /// Counts what it holds. Talks to the server.
    pub async fn stats(&self) -> Result<VaultStats> {
        self.client.call::<VaultStatsShow>(&self.id, &(), &()).await
    }

    /// How large it was on each of so many days, 90 when absent; the last entry is of now. Talks to the server.
    pub async fn growth(&self, days: Option<u32>) -> Result<VaultGrowth> {
        self.client.call::<VaultGrowthShow>(&self.id, &GrowthQuery { days }, &()).await
    }

    /// What plain restic needs to open it, the password among it. Talks to the server.
    pub async fn export_key(&self) -> Result<VaultKey> {
        self.client.call::<VaultKeyExport>(&self.id, &(), &()).await
    }
}
