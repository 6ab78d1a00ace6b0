//! Runs queued tasks of vaults, a few at once. A task that a dead server left is begun again; one whose vault is at work
//! just now stays in the queue, and is tried again soon.
//!
//! While a task goes on, its row is told how far it has come, and asked whether somebody wants it to end: so it can be
//! stopped by way of any server on the same database.

mod work;

use std::{sync::Arc, time::Duration};

use roadstead_api::run::{Progress, RunState};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    ErrorKind, Result,
    app::App,
    db::{
        self, Lease,
        vault_task::{Claimed, Report},
    },
    worker::{self, Order},
};

/// How many tasks go on at once.
const AT_ONCE: usize = 3;
/// How soon a task is tried again whose vault was at work: somebody may wait for it.
const AGAIN: Duration = Duration::from_secs(3);
/// How often a task's row is looked at and told of progress.
const LOOK: Duration = Duration::from_millis(500);

/// Runs every task that is queued.
pub async fn run(app: Arc<App>) -> Result<()> {
    let mut write = app.db.write().await?;
    db::vault_task::requeue_interrupted(&mut write).await?;
    write.commit().await?;
    let (mut after, mut going, mut waits) = (0, JoinSet::new(), false);
    loop {
        while going.len() < AT_ONCE {
            match claim(&app, after).await {
                Ok(Some((claimed, lease))) => {
                    after = claimed.id.0;
                    going.spawn(carry_out(app.clone(), claimed, lease));
                }
                Ok(None) => break,
                Err(error) if going.is_empty() => return Err(error),
                // The others go on: an error here would end them, too.
                Err(error) => {
                    tracing::error!(error = error.chain(), "no task can be begun; it is tried again");
                    waits = true;
                    break;
                }
            }
        }
        if going.is_empty() && !waits {
            return Ok(());
        }
        tokio::select! {
            Some(ended) = going.join_next() => match ended? {
                Ok(is_put_back) => waits |= is_put_back,
                Err(error) => {
                    tracing::error!(error = error.chain(), "a task's end could not be written down; it is begun again");
                }
            },
            () = sleep(AGAIN), if waits => match going.is_empty() {
                false => (after, waits) = (0, false),
                // From the beginning, where it is seen what dead servers have left.
                true => {
                    app.live.vault_tasks.notify_here();
                    return Ok(());
                }
            },
            () = app.live.vault_tasks.notified() => {}
            () = app.ending() => return Ok(()),
        }
    }
}

async fn claim(app: &App, after: i64) -> Result<Option<(Claimed, Lease)>> {
    let mut write = app.db.write().await?;
    let Some(claimed) = db::vault_task::claim(&mut write, after, app.now_ms()).await? else {
        return Ok(None);
    };
    // The row is not to be seen in progress while no lease says that somebody works on it.
    let lease = app.db.lease_vault_task(claimed.id).await?;
    write.commit().await?;
    Ok(Some((claimed, lease)))
}

/// Does a task; says whether it was put back in the queue instead.
async fn carry_out(app: Arc<App>, claimed: Claimed, _lease: Lease) -> Result<bool> {
    let done = if claimed.stop_asked { Ok(None) } else { work::of(&app, &claimed).await };
    finish(&app, &claimed, done).await
}

/// Has a child do it, while its progress is written down, until it ends or somebody wants it to.
async fn watched<T: serde::de::DeserializeOwned>(
    app: &App,
    claimed: &Claimed,
    order: &Order,
) -> Result<Option<T>> {
    let (sender, progress) = watch::channel(Progress::default());
    let stop = stop_asked(app, claimed, progress);
    worker::watched(&app.worker, order, |progress| drop(sender.send_replace(progress)), stop).await
}

/// Returns when somebody wants the task to end.
async fn stop_asked(app: &App, claimed: &Claimed, mut progress: watch::Receiver<Progress>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let news = progress.has_changed().unwrap_or(false).then(|| progress.borrow_and_update().clone());
        match look(app, claimed, news).await {
            Ok(true) => return,
            Ok(false) => {}
            // The database is away for a while; the work goes on.
            Err(error) => tracing::warn!(error = error.chain(), "a task's row could not be looked at"),
        }
    }
}

async fn look(app: &App, claimed: &Claimed, news: Option<Progress>) -> Result<bool> {
    let Some(progress) = news else {
        return db::vault_task::stop_asked(&mut *app.db.read().await?, claimed.id).await;
    };
    let mut write = app.db.write().await?;
    let asked = db::vault_task::set_progress(&mut write, claimed, &progress).await?;
    write.commit().await?;
    Ok(asked)
}

/// Writes down how a task ended, unless it is put back in the queue; says whether it is.
async fn finish(app: &App, claimed: &Claimed, done: Result<Option<Report>>) -> Result<bool> {
    let mut write = app.db.write().await?;
    let (state, reason, report) = match done {
        Ok(Some(report)) => (state_of(&report), None, Some(report)),
        Ok(None) => (RunState::Cancelled, Some("Somebody stopped it.".to_owned()), None),
        Err(error) if error.kind == ErrorKind::Unavailable => {
            tracing::info!(vault = %claimed.vault_id, why = error.chain(), "a task of a vault waits");
            db::vault_task::put_back(&mut write, claimed).await?;
            write.commit().await?;
            return Ok(true);
        }
        Err(error) => {
            tracing::error!(vault = %claimed.vault_id, task = %claimed.id, error = error.chain(), "a task failed");
            (RunState::Failed, Some(error.message.into_owned()), None)
        }
    };
    let ended = (state, reason.as_deref());
    db::vault_task::finish(&mut write, claimed, ended, report.as_ref(), app.now_ms()).await?;
    write.commit().await?;
    app.live.vault_care.notify_one();
    Ok(false)
}

fn state_of(report: &Report) -> RunState {
    match report {
        Report::Drill(drill) if drill.problems.is_empty() => RunState::Completed,
        Report::Copy(copy) if copy.backups_failed == 0 => RunState::Completed,
        Report::Repair(repair) if repair.problems.is_empty() => RunState::Completed,
        _ => RunState::CompletedWithErrors,
    }
}
