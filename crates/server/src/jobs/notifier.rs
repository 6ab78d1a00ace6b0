//! Delivers notifications: each channel in order and by itself, so that one that hangs keeps no other waiting. What is not
//! taken is tried again, ever more rarely, for about ten hours.
//!
//! Several servers may do this: a row is claimed before it is sent. One that dies in between is not missed, since the
//! row comes up again; so a notification may come twice, under the same number.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use roadstead_api::id::NotificationChannelId;

use crate::{
    Result,
    app::App,
    db::{self, notification::Waiting},
    events::Batch,
    ops::notification_channel,
};

/// How often to look for what is to be tried again.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a server has for one try before another may take it up, in milliseconds.
const CLAIMED_MS: i64 = 60_000;
/// How long to wait after each try that failed, in seconds. After the last there is no other.
const PAUSES: [i64; 9] = [5, 30, 60, 300, 900, 1800, 3600, 10_800, 18_000];

/// The channels that are being delivered to.
type Busy = Arc<Mutex<HashSet<NotificationChannelId>>>;

/// Delivers until the server ends.
pub async fn run(app: Arc<App>) {
    let busy = Busy::default();
    let mut events = app.db.events().reader();
    loop {
        if let Err(error) = pass(&app, &busy).await {
            tracing::error!(error = error.chain(), "notifications wait; it is tried again");
        }
        let pause = tokio::time::sleep(PERIOD);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = app.ending() => return,
                () = &mut pause => break,
                came = events.next() => if tells(&came) { break },
            }
        }
    }
}

/// Whether there may be something to deliver.
fn tells(came: &Batch) -> bool {
    match came {
        Batch::Lost => true,
        Batch::Entries(entries) => entries.iter().any(|entry| {
            let event = &entry.told.event;
            event.what != "progress" && matches!(event.noun.as_str(), "backup" | "restore" | "alarm")
        }),
    }
}

async fn pass(app: &Arc<App>, busy: &Busy) -> Result<()> {
    for channel in db::notification::due(&mut *app.db.read().await?, app.now_ms()).await? {
        if !locked(busy).insert(channel) {
            continue;
        }
        let (app, busy) = (app.clone(), busy.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = app.ending() => {}
                done = deliver_all(&app, channel) => {
                    if let Err(error) = done {
                        tracing::error!(%channel, error = error.chain(), "a channel's notifications wait");
                    }
                }
            }
            locked(&busy).remove(&channel);
        });
    }
    Ok(())
}

async fn deliver_all(app: &App, channel: NotificationChannelId) -> Result<()> {
    while let Some(waiting) = claim(app, channel).await? {
        deliver(app, waiting).await?;
    }
    Ok(())
}

async fn claim(app: &App, channel: NotificationChannelId) -> Result<Option<Waiting>> {
    let now = app.now_ms();
    let mut write = app.db.write().await?;
    let claimed = db::notification::claim(&mut write, channel, now, now + CLAIMED_MS).await?;
    write.commit().await?;
    Ok(claimed)
}

async fn deliver(app: &App, waiting: Waiting) -> Result<()> {
    let Waiting { id, channel_id, body, attempts } = waiting;
    let refusal = notification_channel::deliver(app, channel_id, &id.to_string(), body).await?;
    let pause = usize::try_from(attempts - 1).ok().and_then(|tried| PAUSES.get(tried));
    let mut write = app.db.write().await?;
    match (refusal, pause) {
        (None, _) => db::notification::delete(&mut write, id).await?,
        (Some(refusal), Some(pause)) if !refusal.for_good => {
            tracing::warn!(channel = %channel_id, why = refusal.why, "a notification was not taken");
            db::notification::put_off(&mut write, id, app.now_ms() + pause * 1000).await?;
        }
        (Some(refusal), _) => {
            tracing::error!(channel = %channel_id, why = refusal.why, "a notification is given up");
            db::notification::delete(&mut write, id).await?;
        }
    }
    write.commit().await
}

fn locked(busy: &Busy) -> std::sync::MutexGuard<'_, HashSet<NotificationChannelId>> {
    busy.lock().unwrap_or_else(PoisonError::into_inner)
}
