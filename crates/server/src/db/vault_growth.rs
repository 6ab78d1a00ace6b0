//! How large vaults were on each day, for two years.

use roadstead_api::{id::VaultId, vault::VaultDay};
use sqlx::{Executor, query};

use super::{
    Connection,
    row::{Columns, timestamp},
};
use crate::{Result, vaults::VaultSize};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// How many days are kept.
pub const KEPT_DAYS: i64 = 731;

/// The day of a time, counted from 1970, in UTC.
pub fn day_of(now_ms: i64) -> i64 {
    now_ms.div_euclid(DAY_MS)
}

/// The vaults that were not measured on a day yet.
pub async fn unmeasured(db: &mut Connection, day: i64, limit: i64) -> Result<Vec<VaultId>> {
    let select = query(
        "SELECT v.id FROM vaults v WHERE v.deleted_ms IS NULL
           AND NOT EXISTS (SELECT 1 FROM vault_sizes s WHERE s.vault_id = v.id AND s.day = $1)
         ORDER BY v.id LIMIT $2",
    );
    let rows = db.fetch_all(select.bind(day).bind(limit)).await?;
    rows.iter().map(|row| row.text("id").map(VaultId)).collect()
}

/// Notes how large a vault is on a day, and forgets days that are long past.
pub async fn insert(db: &mut Connection, vault: &VaultId, day: i64, size: VaultSize) -> Result<()> {
    let insert = query(
        "INSERT INTO vault_sizes (vault_id, day, bytes, snapshots) VALUES ($1, $2, $3, $4)
         ON CONFLICT (vault_id, day) DO UPDATE SET bytes = excluded.bytes, snapshots = excluded.snapshots",
    )
    .bind(vault.0.as_str())
    .bind(day)
    .bind(size.bytes.cast_signed())
    .bind(size.snapshots.cast_signed());
    db.execute(insert).await?;
    let delete = query("DELETE FROM vault_sizes WHERE vault_id = $1 AND day <= $2");
    db.execute(delete.bind(vault.0.as_str()).bind(day - KEPT_DAYS)).await?;
    Ok(())
}

/// How large a vault was on each day after `after`, oldest first.
pub async fn list(db: &mut Connection, vault: &VaultId, after: i64) -> Result<Vec<VaultDay>> {
    let select = query("SELECT * FROM vault_sizes WHERE vault_id = $1 AND day > $2 ORDER BY day");
    let rows = db.fetch_all(select.bind(vault.0.as_str()).bind(after)).await?;
    rows.iter()
        .map(|row| {
            Ok(VaultDay {
                day: day_in_words(row.integer("day")?)?,
                size_bytes: row.integer("bytes")?.unsigned_abs(),
                snapshot_count: row.integer("snapshots")?.unsigned_abs(),
            })
        })
        .collect()
}

/// A day as people write it.
pub fn day_in_words(day: i64) -> Result<String> {
    Ok(timestamp(day.saturating_mul(DAY_MS))?.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing;

    #[tokio::test]
    async fn each_day_has_one_size_and_old_days_go() {
        testing::each(|db| async move {
            let (_, vault) = testing::vault(&db, 1).await;
            let mut write = db.write().await.unwrap();
            assert_eq!(unmeasured(&mut write, 20_000, 9).await.unwrap(), std::slice::from_ref(&vault));
            for (day, bytes) in [(20_000, 1), (20_001, 2), (20_001, 3)] {
                insert(&mut write, &vault, day, VaultSize { bytes, snapshots: 7 }).await.unwrap();
            }
            assert!(unmeasured(&mut write, 20_001, 9).await.unwrap().is_empty());
            let days = list(&mut write, &vault, 0).await.unwrap();
            let told: Vec<_> = days.iter().map(|day| (day.day.as_str(), day.size_bytes)).collect();
            assert_eq!(told, [("2024-10-04", 1), ("2024-10-05", 3)]);
            insert(&mut write, &vault, 20_000 + KEPT_DAYS, VaultSize::default()).await.unwrap();
            assert_eq!(list(&mut write, &vault, 0).await.unwrap().len(), 2, "the oldest is gone");
            assert_eq!(list(&mut write, &vault, 20_001).await.unwrap().len(), 1);
        })
        .await;
    }
}
