//! Vaults: listing them, and the key that opens one with plain restic.

use roadstead_api::{
    Page, PageQuery,
    id::VaultId,
    vault::{Vault, VaultKey, VaultKeyExport, VaultList, VaultShow},
};

use super::{Context, page};
use crate::{Error, Result, db, db::vault::VaultRow};

/// Lists the vaults.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<Vault>> {
    context.authorize::<VaultList>()?;
    let limit = page::limit(query.limit)?;
    let after = query.cursor.unwrap_or_default();
    let mut read = context.db.read().await?;
    let rows = db::vault::list(&mut read, context.account(), &after, page::fetch(limit)).await?;
    let rows = page::page(rows, limit, |row| row.id.0.clone());
    let mut items = Vec::new();
    for row in rows.items {
        items.push(described(context, row).await?);
    }
    Ok(Page { items, next: rows.next })
}

/// Shows one vault.
pub async fn show(context: &Context, id: &VaultId) -> Result<Vault> {
    context.authorize::<VaultShow>()?;
    described(context, get(context, id).await?).await
}

/// Shows what plain restic needs to open a managed vault.
pub async fn export_key(context: &Context, id: &VaultId) -> Result<VaultKey> {
    context.authorize::<VaultKeyExport>()?;
    let row = get(context, id).await?;
    let password = password(context, &row).await?;
    // Nothing changes, but whoever asks later is to find who has the key.
    context.change::<VaultKeyExport>().await?.commit(&row.id).await?;
    Ok(VaultKey { repository: context.vaults.folder(id).for_restic()?, password })
}

/// A vault of the caller's account.
pub async fn get(context: &Context, id: &VaultId) -> Result<VaultRow> {
    let row = db::vault::get(&mut *context.db.read().await?, id).await?;
    row.filter(|row| row.account_id == context.account())
        .ok_or_else(|| Error::not_found(format!("There is no vault {:.100?}.", id.0)))
}

/// The password of a managed vault.
pub async fn password(context: &Context, row: &VaultRow) -> Result<String> {
    let sealed = || Error::conflict("This vault is sealed: the server does not hold its password.");
    context.vault_password(row).await?.ok_or_else(sealed)
}

async fn described(context: &Context, row: VaultRow) -> Result<Vault> {
    let (vaults, id) = (context.vaults.clone(), row.id.clone());
    let size = tokio::task::spawn_blocking(move || vaults.size(&id)).await??;
    Ok(Vault {
        url: format!("{}/vaults/{}/", context.public_url, row.id),
        id: row.id,
        agent_id: row.agent_id,
        mode: row.mode,
        size_bytes: size.bytes,
        snapshot_count: size.snapshots,
        created_at: row.created_at,
    })
}
