//! Alarms: a row each time a condition begins, closed when it ends. An index keeps a condition from having two that are
//! open, however many servers see it at once.

use roadstead_api::{
    alarm::{Alarm, AlarmKind},
    event::Event,
    id::{AccountId, AlarmId},
    notification_channel::{Notification, Topic},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection, Write, mail, notification,
    row::{Columns, timestamp},
};
use crate::Result;

/// What an alarm is about: with the account, its identity.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// The account that it is in.
    pub account_id: AccountId,
    /// Its kind.
    pub kind: AlarmKind,
    /// What kind of thing it is about.
    pub noun: &'a str,
    /// The id of that thing.
    pub noun_id: &'a str,
}

/// Opens an alarm, unless one is open for the condition already; says whether it was opened.
pub async fn open(db: &mut Write, what: Condition<'_>, message: &str, now_ms: i64) -> Result<bool> {
    let insert = query(
        "INSERT INTO alarms (account_id, kind, noun, noun_id, message, opened_ms) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id, kind, noun, noun_id) WHERE closed_ms IS NULL DO NOTHING
         RETURNING id, account_id, message",
    )
    .bind(what.account_id.0)
    .bind(what.kind.as_str())
    .bind(what.noun)
    .bind(what.noun_id)
    .bind(message)
    .bind(now_ms);
    let opened = db.fetch_optional(insert).await?;
    if let Some(row) = &opened {
        let alarm = (row.integer("id")?, what.kind, what.noun, what.noun_id);
        mail::tell_of_alarm(db, what.account_id, alarm, message).await?;
    }
    tell(db, opened, "create", "open").await
}

/// Closes the open alarm of a condition, if there is one; says whether there was.
pub async fn close(db: &mut Write, what: Condition<'_>, now_ms: i64) -> Result<bool> {
    let update = query(
        "UPDATE alarms SET closed_ms = $5
         WHERE account_id = $1 AND kind = $2 AND noun = $3 AND noun_id = $4 AND closed_ms IS NULL
         RETURNING id, account_id, message",
    )
    .bind(what.account_id.0)
    .bind(what.kind.as_str())
    .bind(what.noun)
    .bind(what.noun_id)
    .bind(now_ms);
    let closed = db.fetch_optional(update).await?;
    tell(db, closed, "close", "closed").await
}

async fn tell(db: &mut Write, row: Option<AnyRow>, what: &str, state: &str) -> Result<bool> {
    let Some(row) = row else { return Ok(false) };
    let (id, account) = (row.integer("id")?, AccountId(row.integer("account_id")?));
    db.tell(account, Event::new("alarm", id, what).state(state));
    let message = row.text("message")?;
    let notification = Notification {
        topic: Topic::Alarm,
        noun: "alarm".to_owned(),
        id: id.to_string(),
        state: state.to_owned(),
        message: if state == "open" { message } else { format!("This is over: {message}") },
        at: timestamp(db.now_ms())?,
    };
    notification::enqueue(db, account, &notification).await?;
    Ok(true)
}

/// Notes who knows of an alarm, the first time; says whether there is such an alarm. `closes` ends it, too.
pub async fn acknowledge(
    db: &mut Connection,
    account: AccountId,
    id: AlarmId,
    (by, closes): (&str, bool),
    now_ms: i64,
) -> Result<bool> {
    let update = query(
        "UPDATE alarms SET acknowledged_ms = COALESCE(acknowledged_ms, $3),
                acknowledged_by = COALESCE(acknowledged_by, $4),
                closed_ms = CASE WHEN $5 = 1 THEN COALESCE(closed_ms, $3) ELSE closed_ms END
         WHERE account_id = $1 AND id = $2",
    )
    .bind(account.0)
    .bind(id.0)
    .bind(now_ms)
    .bind(by)
    .bind(i64::from(closes));
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// An account's alarms below `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    open: Option<bool>,
    before: i64,
    limit: i64,
) -> Result<Vec<Alarm>> {
    let filter = match open {
        Some(true) => "AND closed_ms IS NULL",
        Some(false) => "AND closed_ms IS NOT NULL",
        None => "",
    };
    let sql =
        format!("SELECT * FROM alarms WHERE account_id = $1 AND id < $2 {filter} ORDER BY id DESC LIMIT $3");
    let select = query(AssertSqlSafe(sql)).bind(account.0).bind(before).bind(limit);
    db.fetch_all(select).await?.iter().map(alarm).collect()
}

/// An account's alarm.
pub async fn get(db: &mut Connection, account: AccountId, id: AlarmId) -> Result<Option<Alarm>> {
    let select = query("SELECT * FROM alarms WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(alarm).transpose()
}

fn alarm(row: &AnyRow) -> Result<Alarm> {
    Ok(Alarm {
        id: AlarmId(row.integer("id")?),
        kind: row.word("kind")?,
        noun: row.text("noun")?,
        noun_id: row.text("noun_id")?,
        message: row.text("message")?,
        opened_at: row.time("opened_ms")?,
        acknowledged_at: row.maybe_time("acknowledged_ms")?,
        acknowledged_by: row.maybe_text("acknowledged_by")?,
        closed_at: row.maybe_time("closed_ms")?,
    })
}
