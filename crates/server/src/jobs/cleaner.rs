//! Runs queued cleanups, one after the other. A cleanup that a dead server left is begun again; one whose vault is at
//! work just now stays in the queue.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use roadstead_api::{cleanup::Cleanup, run::RunState};

use crate::{
    Error, ErrorKind, Result,
    app::App,
    db::{self, Lease, cleanup::CleanupFindings, row::timestamp, upkeep::Of},
    ops::{
        cleanup::{TRASH_DAYS, policies},
        upkeep,
    },
    worker::{self, Order, Task},
};

/// Runs every cleanup that is queued.
pub async fn run(app: Arc<App>) -> Result<()> {
    let mut write = app.db.write().await?;
    db::cleanup::requeue_interrupted(&mut write).await?;
    write.commit().await?;
    let mut after = 0;
    while let Some((cleanup, _lease)) = claim(&app, after).await? {
        after = cleanup.id.0;
        if upkeep::hand_over(&app, Of::Cleanup(cleanup.id), &cleanup.vault_id).await? {
            continue;
        }
        let ended = tokio::select! {
            ended = clean(&app, &cleanup) => ended,
            () = app.ending() => return Ok(()),
        };
        finish(&app, &cleanup, ended).await?;
    }
    Ok(())
}

async fn claim(app: &App, after: i64) -> Result<Option<(Cleanup, Lease)>> {
    let mut write = app.db.write().await?;
    let Some(cleanup) = db::cleanup::claim(&mut write, after, app.now_ms()).await? else { return Ok(None) };
    // The row is not to be seen in progress while no lease says that somebody works on it.
    let lease = app.db.lease_cleanup(cleanup.id).await?;
    write.commit().await?;
    Ok(Some((cleanup, lease)))
}

async fn clean(app: &App, cleanup: &Cleanup) -> Result<CleanupFindings> {
    let mut read = app.db.read().await?;
    let vault = db::vault::get(&mut read, &cleanup.vault_id).await?;
    let vault = vault.ok_or_else(|| Error::not_found("The vault is gone."))?;
    let kept = db::cleanup::kept(&mut read, &cleanup.vault_id).await?;
    drop(read);
    let sealed = || Error::conflict("This vault is sealed: the server cannot look into it.");
    let password = app.vault_password(&vault).await?.ok_or_else(sealed)?;
    // Files of the trash carry the machine's own time, whatever clock the server was given.
    let empty_before = Timestamp::now() - SignedDuration::from_hours(i64::from(TRASH_DAYS) * 24);
    let task = Task::Cleanup {
        policies: policies(&kept),
        now_ms: timestamp(app.now_ms())?.as_millisecond(),
        empty_before_ms: empty_before.as_millisecond(),
    };
    worker::call(&app.worker, &Order { folder: app.vaults.folder(&vault.id), password, task }).await
}

async fn finish(app: &App, cleanup: &Cleanup, ended: Result<CleanupFindings>) -> Result<()> {
    let mut write = app.db.write().await?;
    let (state, reason, findings) = match ended {
        Ok(findings) => (RunState::Completed, None, findings),
        Err(error) if error.kind == ErrorKind::Unavailable => {
            tracing::info!(vault = %cleanup.vault_id, why = error.chain(), "a cleanup waits");
            db::cleanup::put_back(&mut write, cleanup.id).await?;
            return write.commit().await;
        }
        Err(error) => {
            tracing::error!(vault = %cleanup.vault_id, error = error.chain(), "a cleanup failed");
            (RunState::Failed, Some(error.message), CleanupFindings::default())
        }
    };
    db::cleanup::finish(&mut write, cleanup, state, reason.as_deref(), &findings, app.now_ms()).await?;
    write.commit().await
}
