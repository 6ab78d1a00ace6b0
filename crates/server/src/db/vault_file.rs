//! What the server remembers of single files of a vault: copies of its headers, the arrival of its snapshots, the
//! makers of its locks.

use roadstead_api::id::VaultId;
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::Result;

/// Keeps a copy of a vault's `config` or of one of its `keys`.
pub async fn insert_header(
    db: &mut Connection,
    vault: &VaultId,
    kind: &str,
    name: &str,
    content: &str,
) -> Result<()> {
    let insert = query("INSERT INTO vault_headers (vault_id, kind, name, content) VALUES ($1, $2, $3, $4)")
        .bind(vault.0.as_str())
        .bind(kind)
        .bind(name)
        .bind(content);
    db.execute(insert).await?;
    Ok(())
}

/// The names of the headers of a kind.
pub async fn header_names(db: &mut Connection, vault: &VaultId, kind: &str) -> Result<Vec<String>> {
    let select = query("SELECT name FROM vault_headers WHERE vault_id = $1 AND kind = $2")
        .bind(vault.0.as_str())
        .bind(kind);
    db.fetch_all(select).await?.iter().map(|row| row.text("name")).collect()
}

/// The kind, name and content in base64 of each of a vault's headers.
pub async fn headers(db: &mut Connection, vault: &VaultId) -> Result<Vec<[String; 3]>> {
    let select =
        query("SELECT kind, name, content FROM vault_headers WHERE vault_id = $1 ORDER BY kind, name")
            .bind(vault.0.as_str());
    let header = |row: &AnyRow| Ok([row.text("kind")?, row.text("name")?, row.text("content")?]);
    db.fetch_all(select).await?.iter().map(header).collect()
}

/// Forgets all headers of a vault, for others to take their place.
pub async fn delete_headers(db: &mut Connection, vault: &VaultId) -> Result<()> {
    db.execute(query("DELETE FROM vault_headers WHERE vault_id = $1").bind(vault.0.as_str())).await?;
    Ok(())
}

/// Stamps a snapshot's arrival. The first stamp stays.
pub async fn insert_snapshot(
    db: &mut Connection,
    vault: &VaultId,
    name: &str,
    owner: &str,
    arrived_ms: i64,
) -> Result<()> {
    let insert = query(
        "INSERT INTO vault_snapshots (vault_id, name, owner, arrived_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (vault_id, name) DO NOTHING",
    )
    .bind(vault.0.as_str())
    .bind(name)
    .bind(owner)
    .bind(arrived_ms);
    db.execute(insert).await?;
    Ok(())
}

/// Notes who made a lock. The first maker stays.
pub async fn insert_lock(db: &mut Connection, vault: &VaultId, name: &str, owner: &str) -> Result<()> {
    let insert = query(
        "INSERT INTO vault_locks (vault_id, name, owner) VALUES ($1, $2, $3)
         ON CONFLICT (vault_id, name) DO NOTHING",
    )
    .bind(vault.0.as_str())
    .bind(name)
    .bind(owner);
    db.execute(insert).await?;
    Ok(())
}

/// Who made a lock.
pub async fn lock_owner(db: &mut Connection, vault: &VaultId, name: &str) -> Result<Option<String>> {
    let select = query("SELECT owner FROM vault_locks WHERE vault_id = $1 AND name = $2")
        .bind(vault.0.as_str())
        .bind(name);
    db.fetch_optional(select).await?.map(|row| row.text("owner")).transpose()
}

/// The names of the locks that somebody made.
pub async fn locks_of(db: &mut Connection, vault: &VaultId, owner: &str) -> Result<Vec<String>> {
    let select = query("SELECT name FROM vault_locks WHERE vault_id = $1 AND owner = $2")
        .bind(vault.0.as_str())
        .bind(owner);
    db.fetch_all(select).await?.iter().map(|row| row.text("name")).collect()
}

/// Forgets a lock.
pub async fn delete_lock(db: &mut Connection, vault: &VaultId, name: &str) -> Result<()> {
    let delete =
        query("DELETE FROM vault_locks WHERE vault_id = $1 AND name = $2").bind(vault.0.as_str()).bind(name);
    db.execute(delete).await?;
    Ok(())
}
