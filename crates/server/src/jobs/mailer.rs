//! Sends mail as [`super::notifier`] delivers to channels: each account's in order and by itself, what is not taken again
//! and ever more rarely; and writes the digests when they are due.

use std::{sync::Arc, time::Duration};

use roadstead_api::id::AccountId;

use super::notifier::{Busy, take};
use crate::{
    Result,
    app::App,
    db::{self, mail::Waiting},
    delivery,
    mail::text,
    ops::mail_settings,
};

/// How long a server has for one try before another may take it up.
const CLAIMED: Duration = Duration::from_secs(120);
/// What a digest tells of, in milliseconds: a day.
const DAY_MS: i64 = 86_400_000;

/// Begins to send what is due.
pub async fn pass(app: &Arc<App>, busy: &Busy<AccountId>) -> Result<()> {
    digests(app).await?;
    for account in db::mail::due(&mut *app.db.read().await?, app.now_ms()).await? {
        take(
            app,
            busy,
            account,
            "an account's mail waits",
            |app| async move { send_all(&app, account).await },
        );
    }
    Ok(())
}

async fn send_all(app: &App, account: AccountId) -> Result<()> {
    while let Some(waiting) = claim(app, account).await? {
        send(app, account, waiting).await?;
    }
    Ok(())
}

async fn claim(app: &App, account: AccountId) -> Result<Option<Waiting>> {
    let now = app.now_ms();
    let until = now.saturating_add(i64::try_from(CLAIMED.as_millis()).unwrap_or(i64::MAX));
    let mut write = app.db.write().await?;
    let claimed = db::mail::claim(&mut write, account, now, until).await?;
    write.commit().await?;
    Ok(claimed)
}

async fn send(app: &App, account: AccountId, waiting: Waiting) -> Result<()> {
    // With the time, since a database that was restored counts from where it was.
    let number = format!("{account}.{}.{}", waiting.id, waiting.created_ms);
    let refusal = mail_settings::send(app, account, &number, &waiting).await?;
    let mut write = app.db.write().await?;
    match refusal.map(|refusal| (delivery::pause_ms(&refusal, waiting.attempts), refusal)) {
        None => db::mail::delete(&mut write, waiting.id).await?,
        Some((Some(pause), refusal)) => {
            tracing::warn!(%account, why = refusal.why, "a mail was not taken; it is tried again");
            db::mail::put_off(&mut write, waiting.id, app.now_ms().saturating_add(pause)).await?;
        }
        Some((None, refusal)) => {
            tracing::error!(%account, why = refusal.why, "a mail is given up");
            db::mail::delete(&mut write, waiting.id).await?;
        }
    }
    write.commit().await
}

/// Writes the digests that are due. One that was missed, as no server was there, comes once, late.
async fn digests(app: &App) -> Result<()> {
    for account in db::mail_settings::digests_due(&mut *app.db.read().await?, app.now_ms()).await? {
        // One that cannot be written keeps no mail waiting.
        if let Err(error) = digest(app, account).await {
            tracing::error!(%account, error = error.chain(), "a digest was not written");
        }
    }
    Ok(())
}

async fn digest(app: &App, account: AccountId) -> Result<()> {
    let mut write = app.db.write().await?;
    let Some(settings) = db::mail_settings::get(&mut write, account).await? else { return Ok(()) };
    let (Some(at), Some(due)) = (&settings.shown.digest_at, settings.digest_due_ms) else { return Ok(()) };
    let next = mail_settings::next_digest(at, &settings.shown.timezone, app.now_ms())?;
    if !db::mail_settings::move_digest(&mut write, account, due, next).await? {
        return Ok(());
    }
    let day = db::mail::day(&mut write, account, due.saturating_sub(DAY_MS)).await?;
    let recipients = settings.shown.recipients.into_iter().collect();
    db::mail::enqueue(&mut write, account, &recipients, &text::digest(&day)).await?;
    write.commit().await
}
