//! Delivers notifications and mail: each channel in order and by itself, so that one that hangs keeps no other waiting. What is not
//! taken is tried again, ever more rarely, for about ten hours.
//!
//! Several servers may do this: a row is claimed before it is sent. One that dies in between is not missed, since the
//! row comes up again; so a notification may come twice, under the same number.

use std::{
    collections::HashSet,
    fmt::Display,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use roadstead_api::id::NotificationChannelId;

use super::mailer;
use crate::{
    Result,
    app::App,
    db::{self, notification::Waiting},
    delivery,
    events::Batch,
    ops::notification_channel,
};

/// How often to look for what is to be tried again.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a server has for one try before another may take it up, in milliseconds.
const CLAIMED_MS: i64 = 60_000;
/// What is being worked on: channels, or accounts whose mail is sent.
pub type Busy<T> = Arc<Mutex<HashSet<T>>>;

/// Delivers until the server ends.
pub async fn run(app: Arc<App>) {
    let (busy, busy_mail) = (Busy::default(), Busy::default());
    let mut events = app.db.events().reader();
    loop {
        for done in [pass(&app, &busy).await, mailer::pass(&app, &busy_mail).await] {
            if let Err(error) = done {
                tracing::error!(error = error.chain(), "notifications wait; it is tried again");
            }
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
            event.what != "progress"
                && matches!(event.noun.as_str(), "backup" | "restore" | "alarm" | "mail_settings")
        }),
    }
}

async fn pass(app: &Arc<App>, busy: &Busy<NotificationChannelId>) -> Result<()> {
    for channel in db::notification::due(&mut *app.db.read().await?, app.now_ms()).await? {
        take(app, busy, channel, "a channel's notifications wait", |app| async move {
            deliver_all(&app, channel).await
        });
    }
    Ok(())
}

/// Begins work on what nobody here works on yet. `what` is said if it fails.
pub fn take<T, W>(
    app: &Arc<App>,
    busy: &Busy<T>,
    key: T,
    what: &'static str,
    work: impl FnOnce(Arc<App>) -> W,
) where
    T: Copy + Eq + Hash + Display + Send + 'static,
    W: Future<Output = Result<()>> + Send + 'static,
{
    if !locked(busy).insert(key) {
        return;
    }
    let (work, app, busy) = (work(app.clone()), app.clone(), busy.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = app.ending() => {}
            done = work => if let Err(error) = done {
                tracing::error!(of = %key, error = error.chain(), "{what}");
            },
        }
        locked(&busy).remove(&key);
    });
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
    let mut write = app.db.write().await?;
    match refusal.map(|refusal| (delivery::pause_ms(&refusal, attempts), refusal)) {
        None => db::notification::delete(&mut write, id).await?,
        Some((Some(pause), refusal)) => {
            tracing::warn!(channel = %channel_id, why = refusal.why, "a notification was not taken; it is tried again");
            db::notification::put_off(&mut write, id, app.now_ms().saturating_add(pause)).await?;
        }
        Some((None, refusal)) => {
            tracing::error!(channel = %channel_id, why = refusal.why, "a notification is given up");
            db::notification::delete(&mut write, id).await?;
        }
    }
    write.commit().await
}

fn locked<T>(busy: &Busy<T>) -> MutexGuard<'_, HashSet<T>> {
    busy.lock().unwrap_or_else(PoisonError::into_inner)
}
