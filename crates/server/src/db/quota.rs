//! Quotas: a row for each vault that has one, and one for the account. An empty vault id stands for the account.

use roadstead_api::id::{AccountId, VaultId};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::Result;

/// A quota's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRow {
    /// The vault that it is for; nothing for the account.
    pub vault_id: Option<VaultId>,
    /// How much room there is, in bytes.
    pub bytes: u64,
}

/// How the rows name what a quota is for.
fn key(vault: Option<&VaultId>) -> &str {
    vault.map_or("", |vault| vault.0.as_str())
}

/// Sets a quota.
pub async fn set(db: &mut Connection, account: AccountId, vault: Option<&VaultId>, bytes: u64) -> Result<()> {
    let insert = query(
        "INSERT INTO quotas (account_id, vault_id, bytes) VALUES ($1, $2, $3)
         ON CONFLICT (account_id, vault_id) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(account.0)
    .bind(key(vault))
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX));
    db.execute(insert).await?;
    Ok(())
}

/// Removes a quota; says whether there was one.
pub async fn delete(db: &mut Connection, account: AccountId, vault: Option<&VaultId>) -> Result<bool> {
    let delete =
        query("DELETE FROM quotas WHERE account_id = $1 AND vault_id = $2").bind(account.0).bind(key(vault));
    Ok(db.execute(delete).await?.rows_affected() > 0)
}

/// An account's quotas whose vaults' ids are above `after`; the account's own comes before all of them, and only where
/// `after` is absent.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<QuotaRow>> {
    let select = query(
        "SELECT vault_id, bytes FROM quotas WHERE account_id = $1 AND (vault_id > $2 OR $3 = 1)
         ORDER BY vault_id LIMIT $4",
    )
    .bind(account.0)
    .bind(after.unwrap_or_default())
    .bind(i64::from(after.is_none()))
    .bind(limit);
    db.fetch_all(select).await?.iter().map(quota).collect()
}

/// The quotas that hold for a vault: its own and the account's, as far as they are set.
pub async fn of_vault(db: &mut Connection, account: AccountId, vault: &VaultId) -> Result<Vec<QuotaRow>> {
    let select = query("SELECT vault_id, bytes FROM quotas WHERE account_id = $1 AND vault_id IN ('', $2)")
        .bind(account.0)
        .bind(vault.0.as_str());
    db.fetch_all(select).await?.iter().map(quota).collect()
}

fn quota(row: &AnyRow) -> Result<QuotaRow> {
    let vault = row.text("vault_id")?;
    Ok(QuotaRow {
        vault_id: (!vault.is_empty()).then_some(VaultId(vault)),
        bytes: u64::try_from(row.integer("bytes")?).unwrap_or(0),
    })
}
