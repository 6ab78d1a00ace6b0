//! API keys: their names and the fingerprints of their secrets.

use roadstead_api::{
    api_key::ApiKey,
    id::{ApiKeyId, UserId},
};
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::Result;

/// Makes a key.
pub async fn insert(
    db: &mut Connection,
    user: UserId,
    name: &str,
    secret_hash: &str,
    now_ms: i64,
) -> Result<ApiKeyId> {
    let insert = query(
        "INSERT INTO api_keys (user_id, name, secret_hash, created_ms) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(user.0)
    .bind(name)
    .bind(secret_hash)
    .bind(now_ms);
    Ok(ApiKeyId(db.fetch_one(insert).await?.integer("id")?))
}

/// A user's keys above `after`, oldest first.
pub async fn list(db: &mut Connection, user: UserId, after: i64, limit: i64) -> Result<Vec<ApiKey>> {
    let select = query("SELECT * FROM api_keys WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(user.0)
        .bind(after)
        .bind(limit);
    let rows = db.fetch_all(select).await?;
    rows.iter()
        .map(|row| {
            Ok(ApiKey {
                id: ApiKeyId(row.integer("id")?),
                name: row.text("name")?,
                created_at: row.time("created_ms")?,
            })
        })
        .collect()
}

/// Deletes a user's key; says whether there was one.
pub async fn delete(db: &mut Connection, user: UserId, id: ApiKeyId) -> Result<bool> {
    let delete = query("DELETE FROM api_keys WHERE user_id = $1 AND id = $2").bind(user.0).bind(id.0);
    Ok(db.execute(delete).await?.rows_affected() > 0)
}
