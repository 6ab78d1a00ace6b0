//! Sends mail as [`super::notifier`] delivers to channels: each account's in order and by itself, what is not taken again
//! and ever more rarely; and writes the digests when they are due.

use std::{sync::Arc, time::Duration};

use roadstead_api::id::AccountId;

use super::notifier::{Busy, take};
use crate::{
    Result,
    app::App,
    db::{self, Db, mail::Waiting},
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
    digests(&app.db, app.now_ms()).await?;
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
async fn digests(db: &Db, now_ms: i64) -> Result<()> {
    for account in db::mail_settings::digests_due(&mut *db.read().await?, now_ms).await? {
        // One that cannot be written keeps no mail waiting.
        if let Err(error) = digest(db, account, now_ms).await {
            tracing::error!(%account, error = error.chain(), "a digest was not written");
        }
    }
    Ok(())
}

async fn digest(db: &Db, account: AccountId, now_ms: i64) -> Result<()> {
    let mut write = db.write().await?;
    let Some(settings) = db::mail_settings::get(&mut write, account).await? else { return Ok(()) };
    let (Some(at), Some(due)) = (&settings.shown.digest_at, settings.digest_due_ms) else { return Ok(()) };
    let next = mail_settings::next_digest(at, &settings.shown.timezone, now_ms)?;
    if !db::mail_settings::move_digest(&mut write, account, due, next).await? {
        return Ok(());
    }
    let day = db::mail::day(&mut write, account, due.saturating_sub(DAY_MS)).await?;
    let recipients = settings.shown.recipients.into_iter().collect();
    db::mail::enqueue(&mut write, account, &recipients, &text::digest(&day)).await?;
    write.commit().await
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        id::AccountId,
        mail_settings::{MailSecurity, MailSettings},
    };

    use super::{DAY_MS, digests};
    use crate::{
        db::{self, Db, mail_settings::SettingsRow, testing},
        ops::mail_settings::next_digest,
    };

    const HOUR_MS: i64 = DAY_MS / 24;

    /// Who gets what, by now; it is sent with this.
    async fn written(db: &Db, account: AccountId) -> Vec<(String, String)> {
        let (mut write, mut found) = (db.write().await.unwrap(), Vec::new());
        while let Some(mail) = db::mail::claim(&mut write, account, i64::MAX - 1, i64::MAX).await.unwrap() {
            db::mail::delete(&mut write, mail.id).await.unwrap();
            found.push((mail.recipient, mail.letter.body));
        }
        write.commit().await.unwrap();
        found
    }

    #[tokio::test]
    async fn a_digest_comes_once_a_day_and_one_that_was_missed_once() {
        testing::each(|db| async move {
            let (account, _) = testing::vault(&db, 6 * HOUR_MS).await;
            let shown = MailSettings {
                host: "mail.example.org".to_owned(),
                port: 25,
                security: MailSecurity::default(),
                username: None,
                has_password: false,
                ca: None,
                sender: "server@example.org".to_owned(),
                recipients: vec!["ops@example.org".to_owned()],
                digest_at: Some("07:30".to_owned()),
                timezone: "UTC".to_owned(),
                delivered_at: None,
                error: None,
                waiting: 0,
            };
            let digest_due_ms = Some(next_digest("07:30", "UTC", 0).unwrap());
            let row = SettingsRow { shown, sealed_password: None, digest_due_ms };
            let mut write = db.write().await.unwrap();
            db::mail_settings::set(&mut write, account, &row).await.unwrap();
            write.commit().await.unwrap();

            digests(&db, 7 * HOUR_MS).await.unwrap();
            assert!(written(&db, account).await.is_empty());
            for _ in 0..2 {
                digests(&db, 8 * HOUR_MS).await.unwrap();
            }
            let first = written(&db, account).await;
            assert!(first.len() == 1 && first[0].0 == "ops@example.org", "{first:?}");
            assert!(first[0].1.contains("1 backups"), "{first:?}");
            // Nobody was there for three days.
            for hours in [80, 81] {
                digests(&db, hours * HOUR_MS).await.unwrap();
            }
            assert_eq!(written(&db, account).await.len(), 1);
            digests(&db, 104 * HOUR_MS).await.unwrap();
            assert_eq!(written(&db, account).await.len(), 1);
        })
        .await;
    }
}
