//! Notices vaults without a good check, cleanup or drill, as [`super::overdue`] notices configurations without a good backup.
//!
//! Vaults are checked once a week, and cleaned once a day where there are rules of retention. Of either, two may fail;
//! a check or a drill that finds damage is told at once. Only vaults with a backup have something to be lost.

use std::sync::Arc;

use jiff::Timestamp;
use roadstead_api::alarm::AlarmKind;

use crate::{
    Result,
    app::App,
    db::{self, Db, Write, alarm::Condition, vault_care::Record},
};

/// How many vaults are looked at in one turn.
const BATCH: i64 = 200;
const DAY_MS: i64 = 86_400_000;
/// How old the last good check may be, in milliseconds: three weeks, which are two checks that failed.
const CHECK_AGE_MS: i64 = 21 * DAY_MS;
/// How old the last good cleanup may be, in milliseconds: three days, which are two cleanups that failed.
const CLEANUP_AGE_MS: i64 = 3 * DAY_MS;
/// How many periods may pass without a good drill: two that failed, and the one that is due.
const DRILLS: i64 = 3;

/// Opens and closes the alarms of all vaults.
pub async fn run(app: Arc<App>) -> Result<()> {
    pass(&app.db, app.now_ms()).await
}

async fn pass(db: &Db, now_ms: i64) -> Result<()> {
    let mut after = String::new();
    loop {
        let records = db::vault_care::records(&mut *db.read().await?, &after, BATCH).await?;
        let Some(last) = records.last() else { return Ok(()) };
        after.clone_from(&last.vault_id.0);
        for record in &records {
            let alarms = [
                (AlarmKind::CheckOverdue, record.check_alarmed, check_message(record, now_ms)),
                (AlarmKind::CleanupOverdue, record.cleanup_alarmed, cleanup_message(record, now_ms)),
                (AlarmKind::DrillOverdue, record.drill_alarmed, drill_message(record, now_ms)),
            ];
            if alarms.iter().all(|(_, alarmed, message)| message.is_some() == *alarmed) {
                continue;
            }
            let mut write = db.write().await?;
            for (kind, _, message) in alarms {
                tell(&mut write, record, kind, message, now_ms).await?;
            }
            write.commit().await?;
        }
    }
}

async fn tell(
    db: &mut Write,
    record: &Record,
    kind: AlarmKind,
    message: Option<String>,
    now_ms: i64,
) -> Result<()> {
    let noun_id = &record.vault_id.0;
    let what = Condition { account_id: record.account_id, kind, noun: "vault", noun_id };
    match message {
        Some(message) => db::alarm::open(db, what, &message, now_ms).await?,
        None => db::alarm::close(db, what, now_ms).await?,
    };
    Ok(())
}

fn check_message(record: &Record, now_ms: i64) -> Option<String> {
    let Record { vault_id, agent_name, good_check_ms: good, .. } = record;
    if record.bad_check_ms > *good {
        return Some(format!(
            "The last check of the vault {vault_id} of agent {agent_name} found damage. See what it found, and make a new \
             backup: roadstead activity list --kind check."
        ));
    }
    let since = good.unwrap_or(record.first_backup_ms);
    (since.saturating_add(CHECK_AGE_MS) < now_ms).then(|| {
        format!(
            "The vault {vault_id} of agent {agent_name} has had no good check since {}. See why the last ones failed, and \
             check it: roadstead vaults check {vault_id}.",
            time(since)
        )
    })
}

fn cleanup_message(record: &Record, now_ms: i64) -> Option<String> {
    let Record { vault_id, agent_name, .. } = record;
    // Rules that are new have not been followed yet.
    let since = record.good_cleanup_ms.unwrap_or(record.first_backup_ms).max(record.rules_ms?);
    (since.saturating_add(CLEANUP_AGE_MS) < now_ms).then(|| {
        format!(
            "The vault {vault_id} of agent {agent_name} has rules of retention and has had no good cleanup since {}: it \
             grows. See why the last ones failed, and clean it: roadstead vaults cleanup {vault_id}.",
            time(since)
        )
    })
}

fn drill_message(record: &Record, now_ms: i64) -> Option<String> {
    let Record { vault_id, agent_name, good_drill_ms: good, .. } = record;
    if record.bad_drill_ms > *good {
        return Some(format!(
            "The last restore drill of the vault {vault_id} of agent {agent_name} did not bring back what was backed up. \
             See what is lost, check the vault, and make a new backup: roadstead activity list --kind drill."
        ));
    }
    // Vaults that were never drilled, since drills are new or off, are not held to it.
    let since = good.or(record.first_drill_ms).filter(|_| record.drill_days > 0)?;
    let late = since.saturating_add(DRILLS * record.drill_days * DAY_MS) < now_ms;
    late.then(|| {
        format!(
            "The vault {vault_id} of agent {agent_name} has had no good restore drill since {}. See why the last ones \
             failed, and drill it: roadstead vaults drill {vault_id}.",
            time(since)
        )
    })
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|at| format!("{at:.0}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        id::{AccountId, VaultId},
        run::RunState,
        vault_task::{DrillSettings, NewVaultTask},
    };

    use super::{DAY_MS, pass};
    use crate::db::{self, Db, check::CheckFindings, testing};

    /// 1 January 2026, 00:00 UTC.
    const START: i64 = 1_767_225_600_000;

    async fn check(db: &Db, (account, vault): (AccountId, &VaultId), state: RunState, at_ms: i64) {
        let mut write = db.write().await.unwrap();
        let id = db::check::insert(&mut write, account, vault, false, at_ms).await.unwrap();
        db::check::finish(&mut write, id, state, None, &CheckFindings::default(), at_ms).await.unwrap();
        write.commit().await.unwrap();
    }

    async fn open(db: &Db, account: AccountId, after_days: i64) -> Vec<&'static str> {
        pass(db, START + after_days * DAY_MS).await.unwrap();
        let alarms = db::alarm::list(&mut db.read().await.unwrap(), account, Some(true), i64::MAX, 100).await;
        let mut kinds: Vec<_> = alarms.unwrap().iter().map(|alarm| alarm.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds
    }

    #[tokio::test]
    async fn a_vault_without_care_is_told_and_damage_at_once() {
        testing::each(|db| async move {
            let (account, vault) = testing::vault(&db, START).await;
            assert!(open(&db, account, 2).await.is_empty());
            assert_eq!(open(&db, account, 4).await, ["cleanup_overdue"]);
            assert_eq!(open(&db, account, 22).await, ["check_overdue", "cleanup_overdue"]);
            check(&db, (account, &vault), RunState::Failed, START + 22 * DAY_MS).await;
            assert_eq!(open(&db, account, 23).await, ["check_overdue", "cleanup_overdue"]);
            check(&db, (account, &vault), RunState::Completed, START + 23 * DAY_MS).await;
            assert_eq!(open(&db, account, 24).await, ["cleanup_overdue"]);
            check(&db, (account, &vault), RunState::CompletedWithErrors, START + 24 * DAY_MS).await;
            assert_eq!(open(&db, account, 25).await, ["check_overdue", "cleanup_overdue"], "damage");
            check(&db, (account, &vault), RunState::Completed, START + 25 * DAY_MS).await;
            assert_eq!(open(&db, account, 25).await, ["cleanup_overdue"]);
            let mut write = db.write().await.unwrap();
            let damaged = START + 26 * DAY_MS;
            let waits = db::check::insert(&mut write, account, &vault, false, damaged).await.unwrap();
            let findings = CheckFindings { problems: vec!["a file is gone".into()], ..Default::default() };
            db::check::put_back(&mut write, waits, &findings, Some("out of reach")).await.unwrap();
            write.commit().await.unwrap();
            assert_eq!(open(&db, account, 26).await, ["check_overdue", "cleanup_overdue"], "though it waits");
            let mut write = db.write().await.unwrap();
            let id = db::cleanup::insert(&mut write, account, &vault, None, START).await.unwrap().unwrap();
            let cleanup = db::cleanup::get(&mut write, account, id).await.unwrap().unwrap();
            let findings = db::cleanup::CleanupFindings::default();
            let now = START + 26 * DAY_MS;
            db::cleanup::finish(&mut write, &cleanup, RunState::Completed, None, &findings, now)
                .await
                .unwrap();
            write.commit().await.unwrap();
            assert_eq!(open(&db, account, 26).await, ["check_overdue"]);
        })
        .await;
    }

    async fn drill(db: &Db, (account, vault): (AccountId, &VaultId), state: RunState, at_ms: i64) {
        let mut write = db.write().await.unwrap();
        let task = NewVaultTask::drill();
        db::vault_task::insert(&mut write, account, vault, &task, None, at_ms).await.unwrap().unwrap();
        let claimed = db::vault_task::claim(&mut write, 0, at_ms).await.unwrap().unwrap();
        db::vault_task::finish(&mut write, &claimed, (state, None), None, at_ms).await.unwrap();
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_drill_that_missed_something_is_told_at_once_and_none_at_all_after_three_periods() {
        testing::each(|db| async move {
            let (account, vault) = testing::vault(&db, START).await;
            let is_open = async |days| open(&db, account, days).await.contains(&"drill_overdue");
            assert!(!is_open(100).await, "drills that never were are not missed");
            drill(&db, (account, &vault), RunState::Failed, START + DAY_MS).await;
            assert!(!is_open(22).await);
            assert!(is_open(23).await, "three weeks after the first was asked for");
            drill(&db, (account, &vault), RunState::Completed, START + 23 * DAY_MS).await;
            assert!(!is_open(24).await);
            drill(&db, (account, &vault), RunState::CompletedWithErrors, START + 24 * DAY_MS).await;
            assert!(is_open(25).await, "damage");
            drill(&db, (account, &vault), RunState::Completed, START + 25 * DAY_MS).await;
            assert!(!is_open(40).await);
            let mut write = db.write().await.unwrap();
            let never = DrillSettings { every_days: 0, ..DrillSettings::default() };
            db::drill_settings::set(&mut write, account, &never).await.unwrap();
            write.commit().await.unwrap();
            assert!(!is_open(400).await, "whoever turned drills off is not told");
        })
        .await;
    }
}
