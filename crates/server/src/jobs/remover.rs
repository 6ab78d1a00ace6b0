//! Removes the files of deleted vaults, and what sealings left that did not complete: their vaults and passwords. What a
//! crash leaves is found again: a vault counts as removed only when all is gone.

use std::sync::Arc;

use crate::{Result, app::App, db};

/// Removes what is to be removed.
pub async fn run(app: Arc<App>) -> Result<()> {
    give_up_unfinished(&app).await?;
    let vaults = db::vault::to_be_removed(&mut *app.db.read().await?).await?;
    for vault in vaults {
        let (files, id) = (app.vaults.clone(), vault.clone());
        if let Err(error) = tokio::task::spawn_blocking(move || files.remove(&id)).await? {
            // The others are not to wait for it; it is tried again.
            tracing::error!(%vault, error = error.chain(), "the files of a deleted vault cannot be removed");
            continue;
        }
        let mut write = app.db.write().await?;
        db::vault::set_removed(&mut write, &vault, app.now_ms()).await?;
        write.commit().await?;
        tracing::info!(%vault, "the files of a deleted vault are gone");
    }
    Ok(())
}

async fn give_up_unfinished(app: &App) -> Result<()> {
    let mut read = app.db.read().await?;
    let unfinished = db::sealing::left_behind(&mut read).await?;
    if unfinished.is_empty() && !db::sealing::has_ended_passwords(&mut read).await? {
        return Ok(());
    }
    drop(read);
    let mut write = app.db.write().await?;
    for vault in unfinished {
        db::vault::delete(&mut write, &vault, app.now_ms()).await?;
    }
    db::sealing::forget_ended_passwords(&mut write).await?;
    write.commit().await
}
