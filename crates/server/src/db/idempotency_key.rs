//! Idempotency keys: which creates were done, what came of them, and for whom.

use roadstead_api::id::UserId;
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::Result;

/// A create that was done.
#[derive(Debug)]
pub struct DoneRow {
    /// Equal for equal requests.
    pub fingerprint: String,
    /// The id of what it made.
    pub target: String,
    /// The reply, sealed; absent if the server ended before it was written.
    pub sealed_reply: Option<String>,
}

/// A user's create of this key, if it was done after `since_ms`.
pub async fn get(db: &mut Connection, user: UserId, name: &str, since_ms: i64) -> Result<Option<DoneRow>> {
    let select = query("SELECT * FROM idempotency_keys WHERE user_id = $1 AND name = $2 AND created_ms > $3")
        .bind(user.0)
        .bind(name)
        .bind(since_ms);
    let row = db.fetch_optional(select).await?;
    row.map(|row| {
        Ok(DoneRow {
            fingerprint: row.text("fingerprint")?,
            target: row.text("target")?,
            sealed_reply: row.maybe_text("sealed_reply")?,
        })
    })
    .transpose()
}

/// Writes down that a create is done; says whether nobody did so before with the same key.
pub async fn insert(
    db: &mut Connection,
    user: UserId,
    name: &str,
    (fingerprint, target): (&str, &str),
    now_ms: i64,
) -> Result<bool> {
    let insert = query(
        "INSERT INTO idempotency_keys (user_id, name, fingerprint, target, created_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, name) DO NOTHING",
    )
    .bind(user.0)
    .bind(name)
    .bind(fingerprint)
    .bind(target)
    .bind(now_ms);
    Ok(db.execute(insert).await?.rows_affected() > 0)
}

/// Keeps the reply of a create.
pub async fn set_reply(db: &mut Connection, user: UserId, name: &str, sealed_reply: &str) -> Result<()> {
    let update = query("UPDATE idempotency_keys SET sealed_reply = $3 WHERE user_id = $1 AND name = $2");
    db.execute(update.bind(user.0).bind(name).bind(sealed_reply)).await?;
    Ok(())
}

/// Forgets what was done up to this time, by anyone.
pub async fn delete_before(db: &mut Connection, until_ms: i64) -> Result<()> {
    db.execute(query("DELETE FROM idempotency_keys WHERE created_ms <= $1").bind(until_ms)).await?;
    Ok(())
}
