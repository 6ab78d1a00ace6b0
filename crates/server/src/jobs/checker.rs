//! Runs queued checks, one after the other. A check that a dead server left is begun again.

use std::sync::Arc;

use roadstead_api::{check::Check, run::RunState};

use crate::{
    Error, Result,
    app::App,
    db::{self, Lease, check::CheckFindings, upkeep::Of},
    ops::{lost_file, upkeep},
    worker::{self, Order, Task},
};

/// Runs every check that is queued.
pub async fn run(app: Arc<App>) -> Result<()> {
    let mut write = app.db.write().await?;
    db::check::requeue_interrupted(&mut write).await?;
    write.commit().await?;
    while let Some((check, _lease)) = claim(&app).await? {
        if upkeep::hand_over(&app, Of::Check(check.id), &check.vault_id).await? {
            continue;
        }
        let ended = tokio::select! {
            found = find(&app, &check) => found,
            () = app.ending() => return Ok(()),
        };
        finish(&app, &check, ended).await?;
    }
    Ok(())
}

async fn claim(app: &App) -> Result<Option<(Check, Lease)>> {
    let mut write = app.db.write().await?;
    let Some(check) = db::check::claim(&mut write).await? else { return Ok(None) };
    // The row is not to be seen in progress while no lease says that somebody works on it.
    let lease = app.db.lease_check(check.id).await?;
    write.commit().await?;
    Ok(Some((check, lease)))
}

async fn find(app: &App, check: &Check) -> Result<CheckFindings> {
    let vault = db::vault::get(&mut *app.db.read().await?, &check.vault_id).await?;
    let vault = vault.ok_or_else(|| Error::not_found("The vault is gone."))?;
    let (password, task) = match app.vault_password(&vault).await? {
        Some(password) => {
            (password, Task::Check { read_data: check.read_data, part: check.part, parts: check.parts })
        }
        // Of a sealed vault that no agent backs up to, nobody can tell more than whether its files are what they were.
        None => (String::new(), Task::CheckNames),
    };
    let mut lost = lost_file::find(app, &vault.id).await?;
    let order = Order { folder: app.vaults.folder(&vault.id), password, task };
    match worker::call(&app.worker, &order).await {
        // A vault without its key is one that nobody can open; what it lacks says more than that.
        Err(error) if !lost.is_empty() => {
            lost.push(error.message.into_owned());
            Ok(CheckFindings { problems: lost, ..CheckFindings::default() })
        }
        found => found.map(|found: CheckFindings| {
            lost.extend(found.problems);
            CheckFindings { problems: lost, ..found }
        }),
    }
}

async fn finish(app: &App, check: &Check, ended: Result<CheckFindings>) -> Result<()> {
    let (state, reason, findings) = match ended {
        Ok(findings) if findings.problems.is_empty() => (RunState::Completed, None, findings),
        Ok(findings) => {
            tracing::error!(vault = %check.vault_id, problems = findings.problems.len(), "a vault is damaged");
            (RunState::CompletedWithErrors, None, findings)
        }
        Err(error) => {
            tracing::error!(vault = %check.vault_id, error = error.chain(), "a check failed");
            (RunState::Failed, Some(error.message), CheckFindings::default())
        }
    };
    let mut write = app.db.write().await?;
    db::check::finish(&mut write, check.id, state, reason.as_deref(), &findings, app.now_ms()).await?;
    write.commit().await
}
