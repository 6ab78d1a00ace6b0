//! What only the RCBU facade keeps: its tokens, and how its clients wrote what a configuration has in another form.

use roadstead_api::{
    id::{AccountId, BackupConfigurationId, UserId},
    user::User,
};
use sqlx::{Executor, query};

use super::{Connection, row::Columns, user};
use crate::Result;

/// Keeps a token's fingerprint, and that of the API key that it was given for, if it was one. Those that have expired go.
pub async fn insert_token(
    db: &mut Connection,
    hash: &str,
    user: &User,
    api_key_hash: Option<&str>,
    expires_ms: i64,
    now_ms: i64,
) -> Result<()> {
    db.execute(query("DELETE FROM rcbu_tokens WHERE expires_ms < $1").bind(now_ms)).await?;
    let insert = query(
        "INSERT INTO rcbu_tokens (hash, account_id, user_id, api_key_hash, password_hash, expires_ms)
         SELECT $1, account_id, id, $3, password_hash, $4 FROM users WHERE id = $2",
    )
    .bind(hash)
    .bind(user.id.0)
    .bind(api_key_hash)
    .bind(expires_ms);
    db.execute(insert).await?;
    Ok(())
}

/// Whose token has this fingerprint, and when it expires. It is good for as long as the user has the same password, and
/// the API key that it was given for, if it was one.
pub async fn user_of_token(db: &mut Connection, hash: &str, now_ms: i64) -> Result<Option<(User, i64)>> {
    let select = query(
        "SELECT t.account_id, t.user_id, t.expires_ms FROM rcbu_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.hash = $1 AND t.expires_ms > $2 AND u.password_hash = t.password_hash
           AND (t.api_key_hash IS NULL
                OR EXISTS (SELECT 1 FROM api_keys k WHERE k.secret_hash = t.api_key_hash))",
    )
    .bind(hash)
    .bind(now_ms);
    let Some(row) = db.fetch_optional(select).await? else { return Ok(None) };
    let (account, id) = (AccountId(row.integer("account_id")?), UserId(row.integer("user_id")?));
    let expires_ms = row.integer("expires_ms")?;
    Ok(user::get(db, account, id).await?.map(|user| (user, expires_ms)))
}

/// Keeps how a client wrote a configuration.
pub async fn set_writing(db: &mut Connection, id: BackupConfigurationId, writing: &str) -> Result<()> {
    let insert = query(
        "INSERT INTO rcbu_writings (configuration_id, writing) VALUES ($1, $2)
         ON CONFLICT (configuration_id) DO UPDATE SET writing = excluded.writing",
    )
    .bind(id.0)
    .bind(writing);
    db.execute(insert).await?;
    Ok(())
}

/// How a client wrote a configuration.
pub async fn writing(db: &mut Connection, id: BackupConfigurationId) -> Result<Option<String>> {
    let select = query("SELECT writing FROM rcbu_writings WHERE configuration_id = $1").bind(id.0);
    db.fetch_optional(select).await?.map(|row| row.text("writing")).transpose()
}
