//! Mails that wait to be sent. A row is there from the change that it tells of until it is taken or given up; none comes
//! where an account has no mail settings.

use std::collections::BTreeSet;

use roadstead_api::{
    alarm::AlarmKind,
    id::AccountId,
    link::{RunKind, RunRef},
    run::RunState,
};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, Write, mail_settings, row::Columns};
use crate::{
    Result,
    mail::text::{self, BadBackup, Day, EndedRun, Letter},
};

/// How many may wait for one account; what comes beyond them is not kept.
const MAX_WAITING: i64 = 10_000;
/// How many bad backups and open alarms a digest lists.
const MAX_LISTED: i64 = 50;

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// Who is to get it.
    pub recipient: String,
    /// What it says.
    pub letter: Letter,
    /// When it was written, in milliseconds since 1970.
    pub created_ms: i64,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// Lets a mail wait for each of these recipients.
pub async fn enqueue(
    db: &mut Write,
    account: AccountId,
    recipients: &BTreeSet<String>,
    letter: &Letter,
) -> Result<()> {
    let now = db.now_ms();
    for recipient in recipients {
        let insert = query(
            "INSERT INTO mails (account_id, recipient, subject, body, created_ms, attempts, next_ms)
             SELECT s.account_id, $2, $3, $4, $5, 0, $5 FROM mail_settings s
             WHERE s.account_id = $1 AND (SELECT COUNT(*) FROM mails m WHERE m.account_id = $1) < $6",
        )
        .bind(account.0)
        .bind(recipient.as_str())
        .bind(letter.subject.as_str())
        .bind(letter.body.as_str())
        .bind(now)
        .bind(MAX_WAITING);
        db.execute(insert).await?;
    }
    Ok(())
}

/// Lets mails wait that tell of a run that has ended, for those whom its configuration names. A restore is told as its own
/// configuration says, or where that names nobody, as the configuration of its backup does.
pub async fn tell_of_run(db: &mut Write, account: AccountId, run: RunRef, state: RunState) -> Result<()> {
    let sql = match run.kind {
        RunKind::Backup => {
            "SELECT r.*, a.name AS agent, c.notification_email AS email, c.notify_success AS success,
                    c.notify_failure AS failure, c.id AS configuration
             FROM backups r JOIN agents a ON a.id = r.agent_id
             JOIN backup_configurations c ON c.id = r.configuration_id WHERE r.id = $1"
        }
        RunKind::Restore => {
            "SELECT r.*, a.name AS agent, COALESCE(o.notification_email, c.notification_email) AS email,
                    CASE WHEN o.notification_email IS NULL THEN c.notify_success ELSE o.notify_success END AS success,
                    CASE WHEN o.notification_email IS NULL THEN c.notify_failure ELSE o.notify_failure END AS failure
             FROM restores r JOIN agents a ON a.id = r.agent_id JOIN backups b ON b.id = r.backup_id
             JOIN backup_configurations c ON c.id = b.configuration_id
             LEFT JOIN restore_configurations o ON o.id = r.configuration_id WHERE r.id = $1"
        }
        RunKind::Sealing | RunKind::Upkeep => return Ok(()),
    };
    let row = db.fetch_one(query(sql).bind(run.id)).await?;
    let wanted = row.flag(if state == RunState::Completed { "success" } else { "failure" })?;
    let recipients = addresses(row.maybe_text("email")?.as_deref());
    if !wanted || recipients.is_empty() {
        return Ok(());
    }
    let letter = letter_of_run(&row, run, state, db.now_ms())?;
    enqueue(db, account, &recipients, &letter).await
}

fn letter_of_run(row: &AnyRow, run: RunRef, state: RunState, now_ms: i64) -> Result<Letter> {
    let configuration = match run.kind {
        RunKind::Backup => Some(row.integer("configuration")?),
        RunKind::Restore | RunKind::Sealing | RunKind::Upkeep => None,
    };
    Ok(text::run(&EndedRun {
        noun: if run.kind == RunKind::Backup { "backup" } else { "restore" },
        id: run.id,
        name: &row.text("name")?,
        agent: &row.text("agent")?,
        state,
        reason: row.maybe_text("reason")?.as_deref(),
        progress: &row.json("progress")?,
        errors: &row.json::<Vec<_>>("errors")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: Some(super::row::timestamp(row.maybe_integer("completed_ms")?.unwrap_or(now_ms))?),
        configuration,
    }))
}

/// Lets mails wait that tell of an alarm that was opened: for the account's recipients, and where it is about a
/// configuration, for those whom that tells of failures.
pub async fn tell_of_alarm(
    db: &mut Write,
    account: AccountId,
    (id, kind, noun, noun_id): (i64, AlarmKind, &str, &str),
    message: &str,
) -> Result<()> {
    let Some(settings) = mail_settings::get(db, account).await? else { return Ok(()) };
    let mut recipients: BTreeSet<String> = settings.shown.recipients.into_iter().collect();
    if let ("backup_configuration", Ok(configuration)) = (noun, noun_id.parse::<i64>()) {
        let select = query(
            "SELECT notification_email FROM backup_configurations
             WHERE account_id = $1 AND id = $2 AND notify_failure = 1",
        );
        let row = db.fetch_optional(select.bind(account.0).bind(configuration)).await?;
        let named = row.map(|row| row.maybe_text("notification_email")).transpose()?.flatten();
        recipients.append(&mut addresses(named.as_deref()));
    }
    enqueue(db, account, &recipients, &text::alarm(id, kind, message)).await
}

/// What happened in an account since a time.
pub async fn day(db: &mut Connection, account: AccountId, since_ms: i64) -> Result<Day> {
    let counts = query(
        "SELECT state, COUNT(*) AS number FROM backups
         WHERE account_id = $1 AND created_ms >= $2 GROUP BY state ORDER BY state",
    );
    let counts = db.fetch_all(counts.bind(account.0).bind(since_ms)).await?;
    let counts: Result<Vec<_>> =
        counts.iter().map(|row| Ok((row.word("state")?, row.integer("number")?.unsigned_abs()))).collect();
    let bad = query(
        "SELECT b.id, b.name, b.state, b.reason, a.name AS agent FROM backups b JOIN agents a ON a.id = b.agent_id
         WHERE b.account_id = $1 AND b.created_ms >= $2 AND b.state IN ('completed_with_errors', 'failed', 'missed')
         ORDER BY b.id DESC LIMIT $3",
    );
    let bad = db.fetch_all(bad.bind(account.0).bind(since_ms).bind(MAX_LISTED)).await?;
    let bad: Result<Vec<_>> = bad.iter().map(bad_backup).collect();
    let alarms = super::alarm::list(db, account, Some(true), i64::MAX, MAX_LISTED).await?;
    Ok(Day { counts: counts?, bad: bad?, alarms })
}

fn bad_backup(row: &AnyRow) -> Result<BadBackup> {
    Ok(BadBackup {
        id: row.integer("id")?,
        name: row.text("name")?,
        agent: row.text("agent")?,
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
    })
}

/// The accounts that a mail is due for.
pub async fn due(db: &mut Connection, now_ms: i64) -> Result<Vec<AccountId>> {
    let select = query("SELECT DISTINCT account_id FROM mails WHERE next_ms <= $1").bind(now_ms);
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| row.integer("account_id").map(AccountId)).collect()
}

/// Takes the oldest mail of an account that is due. Nobody else takes it before `again_ms`.
pub async fn claim(
    db: &mut Connection,
    account: AccountId,
    now_ms: i64,
    again_ms: i64,
) -> Result<Option<Waiting>> {
    let update = query(
        "UPDATE mails SET next_ms = $3, attempts = attempts + 1
         WHERE next_ms <= $2 AND id = (SELECT MIN(id) FROM mails WHERE account_id = $1 AND next_ms <= $2)
         RETURNING id, recipient, subject, body, created_ms, attempts",
    )
    .bind(account.0)
    .bind(now_ms)
    .bind(again_ms);
    let Some(row) = db.fetch_optional(update).await? else { return Ok(None) };
    let letter = Letter { subject: row.text("subject")?, body: row.text("body")? };
    Ok(Some(Waiting {
        id: row.integer("id")?,
        recipient: row.text("recipient")?,
        letter,
        created_ms: row.integer("created_ms")?,
        attempts: row.integer("attempts")?,
    }))
}

/// Puts a mail off.
pub async fn put_off(db: &mut Connection, id: i64, until_ms: i64) -> Result<()> {
    db.execute(query("UPDATE mails SET next_ms = $2 WHERE id = $1").bind(id).bind(until_ms)).await?;
    Ok(())
}

/// Lets all that waits for an account be tried at once.
pub async fn hurry(db: &mut Connection, account: AccountId, now_ms: i64) -> Result<()> {
    let update = query("UPDATE mails SET next_ms = $2 WHERE account_id = $1 AND next_ms > $2");
    db.execute(update.bind(account.0).bind(now_ms)).await?;
    Ok(())
}

/// Forgets a mail.
pub async fn delete(db: &mut Connection, id: i64) -> Result<()> {
    db.execute(query("DELETE FROM mails WHERE id = $1").bind(id)).await?;
    Ok(())
}

/// The addresses of a configuration: with commas between them.
fn addresses(text: Option<&str>) -> BTreeSet<String> {
    let items = text.unwrap_or_default().split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
