//! Runs queued checks, one after the other. A check that a dead server left is begun again; one whose vault cannot be
//! opened just now stays in the queue, and what the server knows to be lost is told before.

use std::sync::Arc;

use roadstead_api::{check::Check, run::RunState};

use crate::{
    Error, ErrorKind, Result,
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
    let mut after = 0;
    while let Some((check, _lease)) = claim(&app, after).await? {
        after = check.id.0;
        if upkeep::hand_over(&app, Of::Check(check.id), &check.vault_id).await? {
            continue;
        }
        let mut findings = CheckFindings::default();
        let ended = tokio::select! {
            ended = look(&app, &check, &mut findings) => ended,
            () = app.ending() => return Ok(()),
        };
        finish(&app, &check, findings, ended).await?;
    }
    Ok(())
}

async fn claim(app: &App, after: i64) -> Result<Option<(Check, Lease)>> {
    let mut write = app.db.write().await?;
    let Some(check) = db::check::claim(&mut write, after).await? else { return Ok(None) };
    // The row is not to be seen in progress while no lease says that somebody works on it.
    let lease = app.db.lease_check(check.id).await?;
    write.commit().await?;
    Ok(Some((check, lease)))
}

/// Gathers what is wrong with a vault, first what can be told without opening it.
async fn look(app: &App, check: &Check, findings: &mut CheckFindings) -> Result<()> {
    let vault = db::vault::get(&mut *app.db.read().await?, &check.vault_id).await?;
    let vault = vault.ok_or_else(|| Error::not_found("The vault is gone."))?;
    let (password, task) = match app.vault_password(&vault).await? {
        Some(password) => {
            (password, Task::Check { read_data: check.read_data, part: check.part, parts: check.parts })
        }
        // Of a sealed vault that no agent backs up to, nobody can tell more than whether its files are what they were.
        None => (String::new(), Task::CheckNames),
    };
    findings.problems = lost_file::find(app, &vault.id).await?;
    let order = Order { folder: app.vaults.folder(&vault.id), password, task };
    let found: CheckFindings = worker::call(&app.worker, &order).await?;
    findings.problems.extend(found.problems);
    *findings = CheckFindings { problems: std::mem::take(&mut findings.problems), ..found };
    Ok(())
}

async fn finish(app: &App, check: &Check, mut findings: CheckFindings, ended: Result<()>) -> Result<()> {
    let mut write = app.db.write().await?;
    let reason = match ended {
        Ok(()) => None,
        Err(error) if error.kind == ErrorKind::Unavailable => {
            let lost = findings.problems.len();
            tracing::info!(vault = %check.vault_id, why = error.chain(), lost, "a check waits");
            let reason = Some(&*error.message).filter(|_| lost > 0);
            db::check::put_back(&mut write, check.id, &findings, reason).await?;
            write.commit().await?;
            app.live.vault_care.notify_one();
            return Ok(());
        }
        // A vault without its key is one that nobody can open; what it lacks says more than that.
        Err(error) if !findings.problems.is_empty() => {
            findings.problems.push(error.message.into_owned());
            None
        }
        Err(error) => {
            tracing::error!(vault = %check.vault_id, error = error.chain(), "a check failed");
            Some(error.message)
        }
    };
    let problems = findings.problems.len();
    let state = match reason {
        Some(_) => RunState::Failed,
        None if problems == 0 => RunState::Completed,
        None => {
            tracing::error!(vault = %check.vault_id, problems, "a vault is damaged");
            RunState::CompletedWithErrors
        }
    };
    db::check::finish(&mut write, check.id, state, reason.as_deref(), &findings, app.now_ms()).await?;
    write.commit().await
}
