//! Writes down what agents measured, once in a while and many points at once, and forgets what is too old.

use std::{sync::Arc, time::Duration};

use crate::{
    Result,
    app::App,
    db,
    meters::{Due, Step},
};

/// How often points are written.
const PERIOD: Duration = Duration::from_secs(10);
/// How many points are written in one turn, so that other writers need not wait long.
const POINTS_A_TURN: usize = 500;
/// How often it is looked for what is too old, in milliseconds.
const TIDY_MS: i64 = 600_000;

/// Works until the server ends.
pub async fn run(app: Arc<App>) {
    let mut tidied_ms = 0;
    loop {
        tokio::select! {
            () = app.ending() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        if let Err(error) = write(&app, false).await {
            tracing::error!(error = error.chain(), "what agents measured could not be written down");
        }
        let now_ms = app.now_ms();
        if now_ms - tidied_ms < TIDY_MS {
            continue;
        }
        tidied_ms = now_ms;
        if let Err(error) = tidy(&app, now_ms).await {
            tracing::error!(error = error.chain(), "old measures could not be forgotten");
        }
    }
}

/// Writes what is left, also of steps that are not over.
pub async fn finish(app: &App) {
    if let Err(error) = write(app, true).await {
        tracing::error!(error = error.chain(), "what agents measured last could not be written down");
    }
}

/// Writes what is due; what cannot be written is tried again.
async fn write(app: &App, all: bool) -> Result<()> {
    let mut due = app.live.meters.due(all, app.now_ms());
    while !due.is_empty() {
        let turn: Vec<Due> = due.drain(..due.len().min(POINTS_A_TURN)).collect();
        if let Err(error) = write_turn(app, &turn).await {
            app.live.meters.put_back([turn, due].concat());
            return Err(error);
        }
    }
    Ok(())
}

async fn write_turn(app: &App, points: &[Due]) -> Result<()> {
    let mut write = app.db.write().await?;
    for point in points {
        db::metric::append(&mut write, point).await?;
    }
    write.commit().await
}

async fn tidy(app: &App, now_ms: i64) -> Result<()> {
    let mut write = app.db.write().await?;
    for step in Step::ALL {
        let before = now_ms.div_euclid(1000) - step.kept_seconds();
        db::metric::delete_before(&mut write, step, before).await?;
    }
    write.commit().await
}
