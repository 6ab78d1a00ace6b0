//! Counts for Prometheus.

use roadstead_api::id::AccountId;
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::Result;

/// How many backups and restores of an account are in each state: (table, state, count).
pub async fn runs_by_state(db: &mut Connection, account: AccountId) -> Result<Vec<(String, String, i64)>> {
    let select = query(
        "SELECT 'backup' AS kind, state, COUNT(*) AS n FROM backups WHERE account_id = $1 GROUP BY state
         UNION ALL
         SELECT 'restore' AS kind, state, COUNT(*) AS n FROM restores WHERE account_id = $1 GROUP BY state
         ORDER BY kind, state",
    )
    .bind(account.0);
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| Ok((row.text("kind")?, row.text("state")?, row.integer("n")?))).collect()
}

/// How many machines of an account are in each state: (backend, state, count).
pub async fn machines_by_state(
    db: &mut Connection,
    account: AccountId,
) -> Result<Vec<(String, String, i64)>> {
    let select = query(
        "SELECT backend_id, state, COUNT(*) AS n FROM machines WHERE account_id = $1
         GROUP BY backend_id, state ORDER BY backend_id, state",
    )
    .bind(account.0);
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| Ok((row.text("backend_id")?, row.text("state")?, row.integer("n")?))).collect()
}

/// When the last good backup of each configuration ended: (id, name, milliseconds since 1970, 0 for never).
pub async fn last_good_backups(db: &mut Connection, account: AccountId) -> Result<Vec<(i64, String, i64)>> {
    let select = query(
        "SELECT c.id, c.name, COALESCE(MAX(b.completed_ms), 0) AS last_ms
         FROM backup_configurations c
         LEFT JOIN backups b ON b.configuration_id = c.id AND b.state = 'completed'
         WHERE c.account_id = $1 AND c.deleted_ms IS NULL GROUP BY c.id, c.name ORDER BY c.id",
    )
    .bind(account.0);
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| Ok((row.integer("id")?, row.text("name")?, row.integer("last_ms")?))).collect()
}
