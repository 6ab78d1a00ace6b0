//! Accounts: the tenants.

use roadstead_api::id::AccountId;
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::Result;

/// Makes an account without its key, which is sealed to the id that comes back.
pub async fn insert(db: &mut Connection, name: &str, now_ms: i64) -> Result<AccountId> {
    let insert =
        query("INSERT INTO accounts (name, sealed_key, created_ms) VALUES ($1, '', $2) RETURNING id")
            .bind(name)
            .bind(now_ms);
    Ok(AccountId(db.fetch_one(insert).await?.integer("id")?))
}

/// Keeps the account's sealed key.
pub async fn set_sealed_key(db: &mut Connection, id: AccountId, sealed_key: &str) -> Result<()> {
    db.execute(query("UPDATE accounts SET sealed_key = $2 WHERE id = $1").bind(id.0).bind(sealed_key))
        .await?;
    Ok(())
}

/// The oldest account with its sealed key, if there is any.
pub async fn first(db: &mut Connection) -> Result<Option<(AccountId, String)>> {
    let row = db.fetch_optional("SELECT id, sealed_key FROM accounts ORDER BY id LIMIT 1").await?;
    row.map(|row| Ok((AccountId(row.integer("id")?), row.text("sealed_key")?))).transpose()
}

/// The account's sealed key.
pub async fn sealed_key(db: &mut Connection, id: AccountId) -> Result<String> {
    db.fetch_one(query("SELECT sealed_key FROM accounts WHERE id = $1").bind(id.0)).await?.text("sealed_key")
}
