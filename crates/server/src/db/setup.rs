//! What was done once, when the server was set up.

use jiff::Timestamp;
use roadstead_api::{id::UserId, setup::DatabaseKind};
use sqlx::{Executor, query};

use super::{Connection, Write, dialect::Dialect, row::Columns};
use crate::Result;

/// Notes that something was done; says whether it had not been before.
pub async fn note(write: &mut Write, name: &str) -> Result<bool> {
    let insert = query("INSERT INTO setup (name, done_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(write.now_ms());
    Ok(write.execute(insert).await?.rows_affected() > 0)
}

/// When something was done.
pub async fn done_at(db: &mut Connection, name: &str) -> Result<Option<Timestamp>> {
    let found = db.fetch_optional(query("SELECT done_ms FROM setup WHERE name = $1").bind(name)).await?;
    found.map(|row| row.time("done_ms")).transpose()
}

/// When a user last changed their password.
pub async fn password_changed_at(db: &mut Connection, user: UserId) -> Result<Option<Timestamp>> {
    let select = query("SELECT password_changed_ms FROM users WHERE id = $1").bind(user.0);
    db.fetch_one(select).await?.maybe_time("password_changed_ms")
}

/// Which database this is.
pub fn database(db: &Connection) -> DatabaseKind {
    match Dialect::of(db) {
        Dialect::Sqlite => DatabaseKind::Sqlite,
        Dialect::Postgres => DatabaseKind::Postgres,
    }
}
