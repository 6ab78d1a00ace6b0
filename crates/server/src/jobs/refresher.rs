//! Asks every backend for its machines when it is due. Each is asked in a task of its own, so that one that hangs keeps
//! nobody waiting; of several servers on one database, one asks.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{Result, app::App, db, ops::refresh};

/// How many backends are asked at once.
const AT_ONCE: usize = 100;
/// When a backend is asked again whose server died over it, in milliseconds.
const AGAIN_MS: i64 = 300_000;
/// The longest pause between two looks at what is due: a neighbour may have made it sooner.
const LONGEST_PAUSE_MS: i64 = 5_000;
/// The shortest.
const SHORTEST_PAUSE_MS: i64 = 50;

/// Asks until the server ends.
pub async fn run(app: Arc<App>) {
    let mut asking = JoinSet::new();
    loop {
        while asking.try_join_next().is_some() {}
        let pause = match ask_due(&app, &mut asking).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(error = error.chain(), "backends could not be refreshed; it is tried again");
                Duration::from_millis(LONGEST_PAUSE_MS as u64)
            }
        };
        tokio::select! {
            () = app.ending() => return,
            () = app.live.refresh.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Begins with what is due, and says how long to wait for more.
async fn ask_due(app: &Arc<App>, asking: &mut JoinSet<()>) -> Result<Duration> {
    let free = AT_ONCE.saturating_sub(asking.len());
    let due = db::backend::due(&mut *app.db.read().await?, app.now_ms(), free as i64).await?;
    for row in due {
        let id = row.backend.id;
        let mut write = app.db.write().await?;
        let now_ms = app.now_ms();
        let mine = db::backend::claim(&mut write, &id, now_ms, now_ms + AGAIN_MS).await?;
        write.commit().await?;
        if mine {
            let app = app.clone();
            asking.spawn(async move { refresh::logged(&app, &id).await });
        }
    }
    let next = db::backend::next_due(&mut *app.db.read().await?).await?.unwrap_or(i64::MAX);
    let pause = next.saturating_sub(app.now_ms()).clamp(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
    Ok(Duration::from_millis(if free == 0 { LONGEST_PAUSE_MS } else { pause }.unsigned_abs()))
}
