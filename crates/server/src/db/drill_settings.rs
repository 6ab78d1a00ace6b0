//! Drill settings: a row an account that has others than the usual ones.

use roadstead_api::{id::AccountId, vault_task::DrillSettings};
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::Result;

/// Keeps settings in place of those before.
pub async fn set(db: &mut Connection, account: AccountId, settings: &DrillSettings) -> Result<()> {
    let insert = query(
        "INSERT INTO drill_settings (account_id, every_days, files, bytes) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account_id) DO UPDATE SET every_days = excluded.every_days, files = excluded.files,
             bytes = excluded.bytes",
    )
    .bind(account.0)
    .bind(i64::from(settings.every_days))
    .bind(i64::from(settings.files))
    .bind(settings.bytes.cast_signed());
    db.execute(insert).await?;
    Ok(())
}

/// An account's settings; the usual ones where it has none.
pub async fn get(db: &mut Connection, account: AccountId) -> Result<DrillSettings> {
    let select = query("SELECT * FROM drill_settings WHERE account_id = $1").bind(account.0);
    let Some(row) = db.fetch_optional(select).await? else { return Ok(DrillSettings::default()) };
    Ok(DrillSettings {
        every_days: u32::try_from(row.integer("every_days")?).unwrap_or(0),
        files: u32::try_from(row.integer("files")?).unwrap_or(0),
        bytes: row.integer("bytes")?.unsigned_abs(),
    })
}
