//! Mail settings: a row an account. The password is sealed.

use roadstead_api::{id::AccountId, mail_settings::MailSettings};
use sqlx::{Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, json},
};
use crate::{Error, Result};

/// An account's settings as they are kept.
#[derive(Clone, Debug)]
pub struct SettingsRow {
    /// What may be shown.
    pub shown: MailSettings,
    /// The password, sealed.
    pub sealed_password: Option<String>,
    /// When the next digest is due, in milliseconds since 1970.
    pub digest_due_ms: Option<i64>,
}

/// Keeps settings in place of those before.
pub async fn set(db: &mut Connection, account: AccountId, row: &SettingsRow) -> Result<()> {
    let shown = &row.shown;
    let insert = query(
        "INSERT INTO mail_settings (account_id, host, port, security, username, sealed_password, ca, sender, recipients,
                                    digest_at, timezone, digest_due_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (account_id) DO UPDATE SET host = excluded.host, port = excluded.port,
             security = excluded.security, username = excluded.username, sealed_password = excluded.sealed_password,
             ca = excluded.ca, sender = excluded.sender, recipients = excluded.recipients,
             digest_at = excluded.digest_at, timezone = excluded.timezone, digest_due_ms = excluded.digest_due_ms,
             error = NULL",
    )
    .bind(account.0)
    .bind(shown.host.as_str())
    .bind(i64::from(shown.port))
    .bind(shown.security.as_str())
    .bind(shown.username.as_deref())
    .bind(row.sealed_password.as_deref())
    .bind(shown.ca.as_deref())
    .bind(shown.sender.as_str())
    .bind(json(&shown.recipients)?)
    .bind(shown.digest_at.as_deref())
    .bind(shown.timezone.as_str())
    .bind(row.digest_due_ms);
    db.execute(insert).await?;
    Ok(())
}

/// An account's settings, if it has any.
pub async fn get(db: &mut Connection, account: AccountId) -> Result<Option<SettingsRow>> {
    let select = query(
        "SELECT s.*, (SELECT COUNT(*) FROM mails m WHERE m.account_id = s.account_id) AS waiting
         FROM mail_settings s WHERE s.account_id = $1",
    )
    .bind(account.0);
    db.fetch_optional(select).await?.as_ref().map(settings).transpose()
}

/// Deletes an account's settings, with what waits; says whether there were any.
pub async fn delete(db: &mut Connection, account: AccountId) -> Result<bool> {
    db.execute(query("DELETE FROM mails WHERE account_id = $1").bind(account.0)).await?;
    let delete = query("DELETE FROM mail_settings WHERE account_id = $1").bind(account.0);
    Ok(db.execute(delete).await?.rows_affected() > 0)
}

/// Notes that a mail was taken.
pub async fn set_delivered(db: &mut Connection, account: AccountId, now_ms: i64) -> Result<()> {
    let update = query("UPDATE mail_settings SET error = NULL, delivered_ms = $2 WHERE account_id = $1");
    db.execute(update.bind(account.0).bind(now_ms)).await?;
    Ok(())
}

/// Notes why a mail was not taken.
pub async fn set_error(db: &mut Connection, account: AccountId, error: &str) -> Result<()> {
    let update = query("UPDATE mail_settings SET error = $2 WHERE account_id = $1");
    db.execute(update.bind(account.0).bind(error)).await?;
    Ok(())
}

/// The accounts whose digest is due.
pub async fn digests_due(db: &mut Connection, now_ms: i64) -> Result<Vec<AccountId>> {
    let select = query("SELECT account_id FROM mail_settings WHERE digest_due_ms <= $1").bind(now_ms);
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| row.integer("account_id").map(AccountId)).collect()
}

/// Moves a digest's time on; says whether nobody else did.
pub async fn move_digest(db: &mut Connection, account: AccountId, from_ms: i64, to_ms: i64) -> Result<bool> {
    let update =
        query("UPDATE mail_settings SET digest_due_ms = $3 WHERE account_id = $1 AND digest_due_ms = $2");
    let moved = db.execute(update.bind(account.0).bind(from_ms).bind(to_ms)).await?;
    Ok(moved.rows_affected() > 0)
}

fn settings(row: &AnyRow) -> Result<SettingsRow> {
    let port = u16::try_from(row.integer("port")?)
        .map_err(|e| Error::internal("A port is out of range.").caused_by(e))?;
    let sealed_password = row.maybe_text("sealed_password")?;
    let shown = MailSettings {
        host: row.text("host")?,
        port,
        security: row.word("security")?,
        username: row.maybe_text("username")?,
        has_password: sealed_password.is_some(),
        ca: row.maybe_text("ca")?,
        sender: row.text("sender")?,
        recipients: row.json("recipients")?,
        digest_at: row.maybe_text("digest_at")?,
        timezone: row.text("timezone")?,
        delivered_at: row.maybe_time("delivered_ms")?,
        error: row.maybe_text("error")?,
        waiting: row.integer("waiting")?.unsigned_abs(),
    };
    Ok(SettingsRow { shown, sealed_password, digest_due_ms: row.maybe_integer("digest_due_ms")? })
}
