//! Measures each vault once a day, for the series that shows how it grows, and removes what interrupted uploads have left
//! there. A day on which no server ran is left out.

use std::sync::Arc;

use crate::{Result, app::App, db};

/// How many vaults are asked for at a time.
const BATCH: i64 = 100;

/// Measures the vaults that were not measured today.
pub async fn run(app: Arc<App>) -> Result<()> {
    let day = db::vault_growth::day_of(app.now_ms());
    loop {
        let vaults = db::vault_growth::unmeasured(&mut *app.db.read().await?, day, BATCH).await?;
        if vaults.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        for vault in vaults {
            let (files, id) = (app.vaults.clone(), vault.clone());
            let measured = move || files.remove_leftovers(&id).and_then(|()| files.size(&id));
            let size = match tokio::task::spawn_blocking(measured).await? {
                Ok(size) => size,
                // The others are not to wait for it; it is tried again.
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            let mut write = app.db.write().await?;
            db::vault_growth::insert(&mut write, &vault, day, size).await?;
            write.commit().await?;
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
}
