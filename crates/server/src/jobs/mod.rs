//! Background work, of two kinds and no third.
//!
//! - A *job* is a durable row with input. It may be begun again after a crash, so each step can be done twice.
//! - A *reconciler* has no input: it looks at how things are and moves them to how they should be. It runs on a signal
//!   and on a period, so a lost signal costs time and nothing else. It never fails: it logs, and comes again.

mod checker;
mod cleaner;
mod commander;
mod dispatcher;
mod growth;
mod last_seen;
mod mailer;
mod maker;
mod meters;
mod neighbours;
mod notifier;
mod overdue;
mod protector;
mod rebuilder;
mod refresher;
mod remover;
mod scheduler;
mod story;
mod taker;
mod upkeep;
mod vault_care;
mod vault_tasks;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{Result, app::App, signal::Signal};

/// Starts all background work; it ends when the server does.
pub fn start(app: &Arc<App>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(reconcile(app.clone(), |app| &app.live.dispatch, every(5), dispatcher::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.schedules, scheduler::pause, scheduler::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.checks, every(60), checker::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.cleanups, every(60), cleaner::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.vault_tasks, every(60), vault_tasks::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.growth, every(600), growth::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.upkeep, every(60), upkeep::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.last_seen, every(30), last_seen::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.removals, every(60), remover::run));
    tasks.spawn(refresher::run(app.clone()));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.overdue, every(60), overdue::run));
    tasks.spawn(reconcile(app.clone(), |app| &app.live.vault_care, every(60), vault_care::run));
    tasks.spawn(taker::run(app.clone()));
    tasks.spawn(notifier::run(app.clone()));
    tasks.spawn(meters::run(app.clone()));
    tasks.spawn(commander::run(app.clone()));
    if let Some(neighbours) = app.db.neighbours() {
        tasks.spawn(neighbours::run(app.clone(), neighbours));
    }
    tasks
}

/// Writes down what only memory knows, when all background work has ended.
pub async fn finish(app: &App) {
    meters::finish(app).await;
}

/// The pause of a reconciler that comes after so many seconds.
fn every(seconds: u64) -> impl Fn(&App) -> Duration {
    move |_| Duration::from_secs(seconds)
}

async fn reconcile<P, F, Fut>(app: Arc<App>, signal: fn(&App) -> &Signal, pause: P, run: F)
where
    P: Fn(&App) -> Duration,
    F: Fn(Arc<App>) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    loop {
        if let Err(error) = run(app.clone()).await {
            tracing::error!(error = error.chain(), "background work failed; it is tried again");
        }
        tokio::select! {
            () = app.ending() => return,
            () = signal(&app).notified() => {}
            () = tokio::time::sleep(pause(&app)) => {}
        }
    }
}
