//! Notification channels. Their URLs and secrets are sealed.

use roadstead_api::{
    id::{AccountId, NotificationChannelId},
    notification_channel::{NotificationChannel, Topic},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, json},
};
use crate::Result;

/// A channel to be made.
#[derive(Debug)]
pub struct NewChannel<'a> {
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// Its name.
    pub name: &'a str,
    /// Scheme, host and port of its URL.
    pub origin: &'a str,
    /// What it is told of.
    pub topics: &'a [Topic],
    /// Now.
    pub now_ms: i64,
}

/// Makes a channel without its target, which is sealed to the id that comes back.
pub async fn insert(db: &mut Connection, new: &NewChannel<'_>) -> Result<NotificationChannelId> {
    let insert = query(
        "INSERT INTO notification_channels (account_id, name, origin, topics, sealed_target, created_ms)
         VALUES ($1, $2, $3, $4, '', $5) RETURNING id",
    )
    .bind(new.account_id.0)
    .bind(new.name)
    .bind(new.origin)
    .bind(json(&new.topics)?)
    .bind(new.now_ms);
    Ok(NotificationChannelId(db.fetch_one(insert).await?.integer("id")?))
}

/// Keeps a channel's sealed target.
pub async fn set_target(db: &mut Connection, id: NotificationChannelId, sealed: &str) -> Result<()> {
    let update =
        query("UPDATE notification_channels SET sealed_target = $2 WHERE id = $1").bind(id.0).bind(sealed);
    db.execute(update).await?;
    Ok(())
}

/// The account of a channel, and its sealed target.
pub async fn target(db: &mut Connection, id: NotificationChannelId) -> Result<Option<(AccountId, String)>> {
    let select =
        query("SELECT account_id, sealed_target FROM notification_channels WHERE id = $1").bind(id.0);
    let row = db.fetch_optional(select).await?;
    row.map(|row| Ok((AccountId(row.integer("account_id")?), row.text("sealed_target")?))).transpose()
}

/// Notes how the last try went: well, or with this error.
pub async fn set_outcome(
    db: &mut Connection,
    id: NotificationChannelId,
    error: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    let update = query(
        "UPDATE notification_channels SET error = $2,
                delivered_ms = CASE WHEN $2 IS NULL THEN $3 ELSE delivered_ms END
         WHERE id = $1",
    )
    .bind(id.0)
    .bind(error)
    .bind(now_ms);
    db.execute(update).await?;
    Ok(())
}

/// An account's channels above `after`, oldest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<NotificationChannel>> {
    let sql = format!("{SELECT} WHERE c.account_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3");
    let select = query(AssertSqlSafe(sql)).bind(account.0).bind(after).bind(limit);
    db.fetch_all(select).await?.iter().map(channel).collect()
}

/// An account's channel.
pub async fn get(
    db: &mut Connection,
    account: AccountId,
    id: NotificationChannelId,
) -> Result<Option<NotificationChannel>> {
    let sql = format!("{SELECT} WHERE c.account_id = $1 AND c.id = $2");
    let select = query(AssertSqlSafe(sql)).bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(channel).transpose()
}

/// Deletes an account's channel with what waits for it; says whether there was one.
pub async fn delete(db: &mut Connection, account: AccountId, id: NotificationChannelId) -> Result<bool> {
    let waiting = query("DELETE FROM notifications WHERE channel_id = $1 AND account_id = $2");
    db.execute(waiting.bind(id.0).bind(account.0)).await?;
    let delete = query("DELETE FROM notification_channels WHERE id = $1 AND account_id = $2");
    Ok(db.execute(delete.bind(id.0).bind(account.0)).await?.rows_affected() > 0)
}

const SELECT: &str = "SELECT c.*, (SELECT COUNT(*) FROM notifications n WHERE n.channel_id = c.id) AS waiting
                      FROM notification_channels c";

fn channel(row: &AnyRow) -> Result<NotificationChannel> {
    Ok(NotificationChannel {
        id: NotificationChannelId(row.integer("id")?),
        name: row.text("name")?,
        origin: row.text("origin")?,
        topics: row.json("topics")?,
        created_at: row.time("created_ms")?,
        delivered_at: row.maybe_time("delivered_ms")?,
        error: row.maybe_text("error")?,
        waiting: row.integer("waiting")?.unsigned_abs(),
    })
}
