//! Takes jobs on, each in a task of its own, and ends those that a server died over.
//!
//! Whether what such a job was at was carried out, nobody can tell: it fails, and says what somebody has to look at.

use std::{sync::Arc, time::Duration};

use roadstead_api::{
    event::Event,
    id::JobId,
    job::{JobKind, JobState},
};
use tokio::task::JoinSet;

use super::{maker, protector, rebuilder};
use crate::{
    Error, Result,
    app::App,
    db::{self, job::JobRow},
};

/// How many jobs are looked at, and so go on, at once.
const AT_ONCE: i64 = 50;
/// How long to wait for a signal before looking anyway.
const PERIOD: Duration = Duration::from_secs(5);
/// How often a job says that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// After how long without a sign of life a job counts as left behind, in milliseconds.
const LEFT_BEHIND_MS: i64 = 60_000;

/// Works until the server ends.
pub async fn run(app: Arc<App>) {
    let mut working = JoinSet::new();
    loop {
        while working.try_join_next().is_some() {}
        if let Err(error) = begin(&app, &mut working).await {
            tracing::error!(error = error.chain(), "jobs could not be looked at; it is tried again");
        }
        tokio::select! {
            () = app.ending() => return,
            () = app.live.make.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Begins what is queued, and ends what was left behind.
async fn begin(app: &Arc<App>, working: &mut JoinSet<()>) -> Result<()> {
    let open = db::job::open(&mut *app.db.read().await?, AT_ONCE).await?;
    for row in open {
        if row.job.state == JobState::Running {
            if row.alive_ms + LEFT_BEHIND_MS < app.now_ms() {
                end(app, &row, Err(Error::conflict(left_behind(row.job.kind)))).await?;
            }
            continue;
        }
        let mut write = app.db.write().await?;
        let mine = db::job::claim(&mut write, row.job.id, app.now_ms()).await?;
        if mine {
            write.tell(row.account_id, event(row.job.id, JobState::Running));
        }
        write.commit().await?;
        if mine {
            let app = app.clone();
            working.spawn(async move { work(&app, row).await });
        }
    }
    Ok(())
}

/// Why a job has failed that nobody works on any more.
fn left_behind(kind: JobKind) -> &'static str {
    match kind {
        JobKind::MachineCreate => {
            "The server ended in the middle of it. Machines may have been made: look at them before you order again."
        }
        JobKind::MachineProtect => {
            "The server ended in the middle of it. Protect the machine again: what is there already stays."
        }
        JobKind::MachineRebuild => {
            "The server ended in the middle of it. A machine may have been made: look at it before you begin again."
        }
    }
}

async fn work(app: &Arc<App>, mut row: JobRow) {
    let id = row.job.id;
    let going = async {
        match row.job.kind {
            JobKind::MachineCreate => maker::run(app, &mut row).await,
            JobKind::MachineProtect => protector::run(app, &mut row).await,
            JobKind::MachineRebuild => rebuilder::run(app, &mut row).await,
        }
    };
    let ended = tokio::select! {
        ended = going => ended,
        () = stay_alive(app, id) => return,
    };
    if let Err(error) = end(app, &row, ended).await {
        tracing::error!(job = %id, error = error.chain(), "a job's end could not be written down");
    }
}

/// Says again and again that the job is worked on; returns never.
async fn stay_alive(app: &App, id: JobId) {
    loop {
        tokio::time::sleep(SIGN_OF_LIFE).await;
        let told = async {
            let mut write = app.db.write().await?;
            db::job::keep_alive(&mut write, id, app.now_ms()).await?;
            write.commit().await
        };
        if let Err(error) = told.await {
            tracing::warn!(job = %id, error = error.chain(), "a job's sign of life could not be written down");
        }
    }
}

async fn end(app: &App, row: &JobRow, ended: Result<()>) -> Result<()> {
    let (state, reason) = match ended {
        Ok(()) => (JobState::Completed, None),
        Err(error) => {
            tracing::warn!(job = %row.job.id, error = error.chain(), "a job failed");
            (JobState::Failed, Some(error.message))
        }
    };
    let mut write = app.db.write().await?;
    if db::job::end(&mut write, row.job.id, state, reason.as_deref(), app.now_ms()).await? {
        write.tell(row.account_id, event(row.job.id, state));
    }
    write.commit().await
}

fn event(id: JobId, state: JobState) -> Event {
    Event::new("job", id, "state").state(state)
}
