//! Notices configurations without a good backup: silence is told, too.
//!
//! A configuration is overdue when two of its times in a row have passed since its last backup that can be restored,
//! and an hour more for the second to end. Disabled ones, and those of disabled agents, are quiet.

use std::sync::Arc;

use jiff::Timestamp;
use roadstead_api::alarm::AlarmKind;

use crate::{
    Result,
    app::App,
    db::{self, Db, alarm::Condition, schedule::Record},
    schedule::Timetable,
};

/// How many configurations are looked at in one turn.
const BATCH: i64 = 200;
/// How many times may pass without a good backup.
const TIMES: usize = 2;
/// How long the last of them has to end, in milliseconds.
const GRACE_MS: i64 = 3_600_000;

/// Opens and closes the alarms of all configurations.
pub async fn run(app: Arc<App>) -> Result<()> {
    pass(&app.db, app.now_ms()).await
}

async fn pass(db: &Db, now_ms: i64) -> Result<()> {
    let mut after = 0;
    loop {
        let records = db::schedule::records(&mut *db.read().await?, after, BATCH).await?;
        let Some(last) = records.last() else { return Ok(()) };
        after = last.configuration.id.0;
        let differing: Vec<_> = records
            .iter()
            .map(|record| (record, is_overdue(record, now_ms)))
            .filter(|(r, o)| r.alarmed != *o)
            .collect();
        if differing.is_empty() {
            continue;
        }
        let mut write = db.write().await?;
        for (record, overdue) in differing {
            let id = record.configuration.id.to_string();
            let what = Condition {
                account_id: record.account_id,
                kind: AlarmKind::BackupOverdue,
                noun: "backup_configuration",
                noun_id: &id,
            };
            if overdue {
                db::alarm::open(&mut write, what, &message(record), now_ms).await?;
            } else {
                db::alarm::close(&mut write, what, now_ms).await?;
            }
        }
        write.commit().await?;
    }
}

fn is_overdue(record: &Record, now_ms: i64) -> bool {
    if !record.active {
        return false;
    }
    // Times that were others before the last change are not held against it.
    let since = record.good_ms.unwrap_or(0).max(record.configuration.updated_at.as_millisecond());
    // A time zone that is gone from this machine is told by the scheduler.
    let Ok(timetable) = Timetable::of(&record.configuration) else { return false };
    let last = timetable.slots_after(since).nth(TIMES - 1);
    last.is_some_and(|slot| timetable.due(slot).saturating_add(GRACE_MS) < now_ms)
}

fn message(record: &Record) -> String {
    let good = record.good_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let since = good.map_or_else(|| "yet".to_owned(), |good| format!("since {good:.0}"));
    format!(
        "{} has no good backup {since}, and two of its times have passed. See whether agent {} is connected, and why its \
         last backups failed: roadstead backups list.",
        record.configuration.name, record.agent_name
    )
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        agent::HostFacts,
        alarm::Alarm,
        backup_configuration::{BackupConfiguration, NewBackupConfiguration},
        id::{AccountId, AgentId, SnapshotId, VaultId},
        link::{RunKind, RunRef},
        run::{RunOrigin, RunState},
    };

    use super::pass;
    use crate::db::{self, Db, backup::NewBackupRow, testing};

    const HOUR_MS: i64 = 3_600_000;
    /// 1 January 2026, 00:00 UTC.
    const START: i64 = 1_767_225_600_000;

    struct Stage {
        account: AccountId,
        agent: AgentId,
        vault: VaultId,
        configuration: BackupConfiguration,
    }

    impl Stage {
        async fn new(db: &Db) -> Self {
            let mut write = db.write().await.unwrap();
            let account = db::account::insert(&mut write, "test", START).await.unwrap();
            let host = HostFacts::default();
            let new = db::agent::NewAgent {
                account_id: account,
                name: "test",
                public_key: "",
                fingerprint: "",
                credential_hash: "",
                host: &host,
                now_ms: START,
            };
            let agent = db::agent::insert(&mut write, &new).await.unwrap();
            let vault = VaultId("test".to_owned());
            db::vault::insert(&mut write, &vault, (account, agent), "", START).await.unwrap();
            let new = NewBackupConfiguration {
                schedule: "daily@12:00".parse().unwrap(),
                ..NewBackupConfiguration::new("daily", agent, vec!["/etc".to_owned()])
            };
            let id = db::backup_configuration::insert(&mut write, account, &new, START).await.unwrap();
            let configuration =
                db::backup_configuration::get(&mut write, account, id).await.unwrap().unwrap();
            write.commit().await.unwrap();
            Self { account, agent, vault, configuration }
        }

        async fn back_up(&self, db: &Db, at_ms: i64, state: RunState) {
            let mut write = db.write().await.unwrap();
            let row = NewBackupRow {
                account_id: self.account,
                configuration_id: self.configuration.id,
                agent_id: self.agent,
                vault_id: &self.vault,
                name: "daily-1",
                origin: RunOrigin::Asked,
                slot_ms: None,
                ended: None,
                now_ms: at_ms,
            };
            let id = db::backup::insert(&mut write, &row).await.unwrap();
            let run = RunRef { kind: RunKind::Backup, id: id.0 };
            if state == RunState::Completed {
                db::backup::set_snapshot(&mut write, id.0, &SnapshotId("s".into())).await.unwrap();
            }
            db::run::end(&mut write, run, state, None, at_ms).await.unwrap();
            write.commit().await.unwrap();
        }

        async fn alarms(&self, db: &Db, open: bool) -> Vec<Alarm> {
            let mut read = db.read().await.unwrap();
            db::alarm::list(&mut read, self.account, Some(open), i64::MAX, 100).await.unwrap()
        }
    }

    #[tokio::test]
    async fn one_alarm_is_opened_after_two_times_and_closed_by_a_good_backup() {
        testing::each(|db| async move {
            let stage = Stage::new(&db).await;
            // The first time is at 12:00, the second a day later; then there is an hour left.
            pass(&db, START + 37 * HOUR_MS).await.unwrap();
            assert!(stage.alarms(&db, true).await.is_empty());
            stage.back_up(&db, START + 36 * HOUR_MS, RunState::Failed).await;
            for hour in [38, 39, 50] {
                pass(&db, START + hour * HOUR_MS).await.unwrap();
            }
            let open = stage.alarms(&db, true).await;
            assert_eq!(open.len(), 1, "one condition, one alarm");
            assert_eq!(open[0].noun_id, stage.configuration.id.to_string());
            assert!(open[0].message.contains("daily has no good backup yet"), "{}", open[0].message);

            stage.back_up(&db, START + 60 * HOUR_MS, RunState::Completed).await;
            pass(&db, START + 61 * HOUR_MS).await.unwrap();
            assert!(stage.alarms(&db, true).await.is_empty());
            assert_eq!(stage.alarms(&db, false).await.len(), 1);
            // The good one came with the third time; the fourth and the fifth pass, and the hour after.
            pass(&db, START + 110 * HOUR_MS).await.unwrap();
            assert_eq!(stage.alarms(&db, true).await.len(), 1, "and it can begin again");
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_disabled_is_quiet() {
        testing::each(|db| async move {
            let stage = Stage::new(&db).await;
            pass(&db, START + 100 * HOUR_MS).await.unwrap();
            assert_eq!(stage.alarms(&db, true).await.len(), 1);
            let mut write = db.write().await.unwrap();
            db::agent::set_enabled(&mut write, stage.account, stage.agent, false).await.unwrap();
            write.commit().await.unwrap();
            pass(&db, START + 101 * HOUR_MS).await.unwrap();
            assert!(stage.alarms(&db, true).await.is_empty());
        })
        .await;
    }
}
