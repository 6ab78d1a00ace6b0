//! Vaults: the repositories that hold backup data.

use roadstead_api::{
    PageQuery,
    id::VaultId,
    vault::{self, VaultKey, VaultKeyExport, VaultList, VaultShow},
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
    /// What plain restic needs to open it, the password among it. Talks to the server.
    pub async fn export_key(&self) -> Result<VaultKey> {
        self.client.call::<VaultKeyExport>(&self.id, &(), &()).await
    }
}
