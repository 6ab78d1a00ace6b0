//! Sessions of browsers: the fingerprints of their secrets, and until when they last.

use roadstead_api::{
    id::{SessionId, UserId},
    session::Session,
    user::User,
};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns, user};
use crate::Result;

/// A session to be begun.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Who signed in.
    pub user: UserId,
    /// The fingerprint of its secret.
    pub secret_hash: &'a str,
    /// From which address.
    pub source: &'a str,
    /// As the browser calls itself.
    pub user_agent: &'a str,
    /// Now.
    pub now_ms: i64,
    /// When it ends at the latest.
    pub expires_ms: i64,
}

/// From when on a session must have been used, and the time now, for it to be alive.
#[derive(Clone, Copy, Debug)]
pub struct Alive {
    /// Sessions last used before this have ended.
    pub used_after_ms: i64,
    /// Sessions that expire before this have ended.
    pub now_ms: i64,
}

/// A session that is alive, as it was found by its secret.
#[derive(Debug)]
pub struct FoundSession {
    /// Its id.
    pub id: SessionId,
    /// Its user.
    pub user: User,
    /// When it was last seen to be used.
    pub last_used_ms: i64,
}

/// Begins a session.
pub async fn insert(db: &mut Connection, new: &NewSession<'_>) -> Result<SessionId> {
    let insert = query(
        "INSERT INTO sessions (user_id, secret_hash, source, user_agent, created_ms, last_used_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $5, $6) RETURNING id",
    )
    .bind(new.user.0)
    .bind(new.secret_hash)
    .bind(new.source)
    .bind(new.user_agent)
    .bind(new.now_ms)
    .bind(new.expires_ms);
    Ok(SessionId(db.fetch_one(insert).await?.integer("id")?))
}

/// The session that is alive and has a secret of this fingerprint.
pub async fn by_secret(db: &mut Connection, secret_hash: &str, alive: Alive) -> Result<Option<FoundSession>> {
    let select = query(
        "SELECT u.*, s.id AS session_id, s.last_used_ms FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.secret_hash = $1 AND s.last_used_ms > $2 AND s.expires_ms > $3",
    )
    .bind(secret_hash)
    .bind(alive.used_after_ms)
    .bind(alive.now_ms);
    let row = db.fetch_optional(select).await?;
    row.map(|row| {
        Ok(FoundSession {
            id: SessionId(row.integer("session_id")?),
            user: user::user(&row)?,
            last_used_ms: row.integer("last_used_ms")?,
        })
    })
    .transpose()
}

/// A user's sessions that are alive, above `after`, oldest first.
pub async fn list(
    db: &mut Connection,
    user: &User,
    alive: Alive,
    after: i64,
    limit: i64,
) -> Result<Vec<Session>> {
    let select = query(
        "SELECT * FROM sessions WHERE user_id = $1 AND id > $2 AND last_used_ms > $3 AND expires_ms > $4
         ORDER BY id LIMIT $5",
    )
    .bind(user.id.0)
    .bind(after)
    .bind(alive.used_after_ms)
    .bind(alive.now_ms)
    .bind(limit);
    db.fetch_all(select).await?.iter().map(|row| session(row, user)).collect()
}

/// A user's session, whether or not it is alive.
pub async fn get(db: &mut Connection, user: &User, id: SessionId) -> Result<Option<Session>> {
    let select = query("SELECT * FROM sessions WHERE user_id = $1 AND id = $2").bind(user.id.0).bind(id.0);
    db.fetch_optional(select).await?.map(|row| session(&row, user)).transpose()
}

/// Writes down that a session is used.
pub async fn set_last_used(db: &mut Connection, id: SessionId, now_ms: i64) -> Result<()> {
    db.execute(query("UPDATE sessions SET last_used_ms = $2 WHERE id = $1").bind(id.0).bind(now_ms)).await?;
    Ok(())
}

/// Ends a user's session; says whether there was one.
pub async fn delete(db: &mut Connection, user: UserId, id: SessionId) -> Result<bool> {
    let delete = query("DELETE FROM sessions WHERE user_id = $1 AND id = $2").bind(user.0).bind(id.0);
    Ok(db.execute(delete).await?.rows_affected() > 0)
}

/// Ends all sessions of a user, but for the one that is kept.
pub async fn delete_all_of(db: &mut Connection, user: UserId, kept: Option<SessionId>) -> Result<()> {
    let delete = query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2");
    db.execute(delete.bind(user.0).bind(kept.map_or(-1, |id| id.0))).await?;
    Ok(())
}

/// Forgets the sessions of all users that are alive no more.
pub async fn delete_ended(db: &mut Connection, alive: Alive) -> Result<()> {
    let delete = query("DELETE FROM sessions WHERE last_used_ms <= $1 OR expires_ms <= $2");
    db.execute(delete.bind(alive.used_after_ms).bind(alive.now_ms)).await?;
    Ok(())
}

fn session(row: &AnyRow, user: &User) -> Result<Session> {
    Ok(Session {
        id: SessionId(row.integer("id")?),
        username: user.username.clone(),
        source: row.text("source")?,
        user_agent: row.text("user_agent")?,
        current: false,
        created_at: row.time("created_ms")?,
        last_used_at: row.time("last_used_ms")?,
        expires_at: row.time("expires_ms")?,
    })
}
