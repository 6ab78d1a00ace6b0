//! Notifications that wait to be delivered. A row is there from the change that it tells of until it is delivered or given
//! up.

use roadstead_api::{
    id::{AccountId, NotificationChannelId},
    notification_channel::Notification,
};
use sqlx::{Executor, any::AnyRow, query};

use super::{
    Connection, Write,
    row::{Columns, json},
};
use crate::Result;

/// How many may wait for one channel; what comes beyond them is not kept.
const MAX_WAITING: i64 = 10_000;

/// A notification to be delivered.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// The channel that it goes to.
    pub channel_id: NotificationChannelId,
    /// What is sent.
    pub body: String,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// Lets a notification wait for each channel of an account that is told of its topic.
pub async fn enqueue(db: &mut Write, account: AccountId, notification: &Notification) -> Result<()> {
    let now = db.now_ms();
    let insert = query(
        "INSERT INTO notifications (account_id, channel_id, body, created_ms, attempts, next_ms)
         SELECT c.account_id, c.id, $2, $3, 0, $3 FROM notification_channels c
         WHERE c.account_id = $1 AND c.topics LIKE $4
           AND (SELECT COUNT(*) FROM notifications n WHERE n.channel_id = c.id) < $5",
    )
    .bind(account.0)
    .bind(json(notification)?)
    .bind(now)
    .bind(format!("%\"{}\"%", notification.topic.as_str()))
    .bind(MAX_WAITING);
    db.execute(insert).await?;
    Ok(())
}

/// The channels that something is due for.
pub async fn due(db: &mut Connection, now_ms: i64) -> Result<Vec<NotificationChannelId>> {
    let select = query("SELECT DISTINCT channel_id FROM notifications WHERE next_ms <= $1").bind(now_ms);
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| row.integer("channel_id").map(NotificationChannelId)).collect()
}

/// Takes the oldest notification that is due for a channel. Nobody else takes it before `again_ms`.
pub async fn claim(
    db: &mut Connection,
    channel: NotificationChannelId,
    now_ms: i64,
    again_ms: i64,
) -> Result<Option<Waiting>> {
    let update = query(
        "UPDATE notifications SET next_ms = $3, attempts = attempts + 1
         WHERE next_ms <= $2 AND id = (SELECT MIN(id) FROM notifications WHERE channel_id = $1 AND next_ms <= $2)
         RETURNING id, channel_id, body, attempts",
    )
    .bind(channel.0)
    .bind(now_ms)
    .bind(again_ms);
    db.fetch_optional(update).await?.as_ref().map(waiting).transpose()
}

/// Puts a notification off.
pub async fn put_off(db: &mut Connection, id: i64, until_ms: i64) -> Result<()> {
    db.execute(query("UPDATE notifications SET next_ms = $2 WHERE id = $1").bind(id).bind(until_ms)).await?;
    Ok(())
}

/// Forgets a notification.
pub async fn delete(db: &mut Connection, id: i64) -> Result<()> {
    db.execute(query("DELETE FROM notifications WHERE id = $1").bind(id)).await?;
    Ok(())
}

fn waiting(row: &AnyRow) -> Result<Waiting> {
    Ok(Waiting {
        id: row.integer("id")?,
        channel_id: NotificationChannelId(row.integer("channel_id")?),
        body: row.text("body")?,
        attempts: row.integer("attempts")?,
    })
}
