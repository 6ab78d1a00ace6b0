//! The scheduler on real databases. What it decides is tested in `schedule`; here, that rows follow.

use std::sync::Arc;

use roadstead_api::{
    agent::HostFacts,
    backup::{Backup, BackupQuery},
    backup_configuration::{BackupConfiguration, MissedAction, NewBackupConfiguration},
    id::{AccountId, AgentId, VaultId},
    link::{RunKind, RunRef},
    run::{RunOrigin, RunState},
};
use tokio::sync::mpsc;

use super::pass;
use crate::{
    db::{self, Db, testing},
    live::Live,
    schedule::Timetable,
};

const HOUR_MS: i64 = 3_600_000;
/// 1 January 2026, 00:00 UTC.
const START: i64 = 1_767_225_600_000;

/// An account with one agent and one configuration, made at [`START`].
struct Stage {
    db: Arc<Db>,
    live: Live,
    account: AccountId,
    agent: AgentId,
    configuration: BackupConfiguration,
}

impl Stage {
    async fn new(db: &Arc<Db>, schedule: &str, missed: MissedAction) -> Self {
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
        db::vault::insert(&mut write, &VaultId("test".to_owned()), (account, agent), "", START)
            .await
            .unwrap();
        let new = NewBackupConfiguration {
            schedule: schedule.parse().unwrap(),
            missed,
            ..NewBackupConfiguration::new("daily", agent, vec!["/etc".to_owned()])
        };
        let id = db::backup_configuration::insert(&mut write, account, &new, START).await.unwrap();
        let configuration = db::backup_configuration::get(&mut write, account, id).await.unwrap().unwrap();
        let next = Timetable::of(&configuration).unwrap().next_due(START);
        db::schedule::begin(&mut write, id, START, next).await.unwrap();
        write.commit().await.unwrap();
        Self { db: db.clone(), live: Live::default(), account, agent, configuration }
    }

    /// Lets the agent come; its messages go nowhere.
    fn connect(&self) -> mpsc::Receiver<roadstead_api::link::ServerMessage> {
        let (sender, messages) = mpsc::channel(8);
        let link = self.live.link(sender, mpsc::channel(1).0, true);
        assert!(self.live.connect(self.agent, link, None));
        messages
    }

    async fn pass(&self, now: i64) {
        pass(&self.db, &self.live, now).await.unwrap();
    }

    /// All backups, oldest first: state, origin, and hours from the start to the slot.
    async fn rows(&self) -> Vec<(RunState, RunOrigin, Option<i64>)> {
        let hours = |backup: &Backup| backup.slot_at.map(|slot| (slot.as_millisecond() - START) / HOUR_MS);
        let row = |backup: &Backup| (backup.state, backup.origin, hours(backup));
        self.backups().await.iter().map(row).collect()
    }

    async fn backups(&self) -> Vec<Backup> {
        let mut read = self.db.read().await.unwrap();
        let query = BackupQuery::default();
        let mut found = db::backup::list(&mut read, self.account, &query, i64::MAX, 10_000).await.unwrap();
        found.reverse();
        found
    }

    /// Ends whatever goes on.
    async fn finish(&self, now: i64) {
        let mut write = self.db.write().await.unwrap();
        for backup in self.backups().await.iter().filter(|backup| !backup.state.has_ended()) {
            let run = RunRef { kind: RunKind::Backup, id: backup.id.0 };
            db::run::end(&mut write, run, RunState::Completed, None, now).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    async fn next_runtime(&self) -> i64 {
        let mut read = self.db.read().await.unwrap();
        let id = self.configuration.id;
        let found = db::backup_configuration::get(&mut read, self.account, id).await.unwrap().unwrap();
        found.next_runtime.unwrap().as_millisecond()
    }
}

use RunOrigin::{MadeUp, Schedule};
use RunState::{Completed, Missed, Queued, Skipped};

#[tokio::test]
async fn a_slot_is_run_once_and_skipped_while_its_forerunner_goes_on() {
    testing::each(|db| async move {
        let stage = Stage::new(&db, "hourly:1", MissedAction::Asap).await;
        let _messages = stage.connect();
        stage.pass(START + HOUR_MS - 1).await;
        assert_eq!(stage.rows().await, []);
        for _ in 0..3 {
            stage.pass(START + HOUR_MS).await;
        }
        assert_eq!(stage.rows().await, [(Queued, Schedule, Some(1))]);
        assert_eq!(stage.next_runtime().await, START + 2 * HOUR_MS);
        stage.pass(START + 2 * HOUR_MS).await;
        stage.finish(START + 2 * HOUR_MS + 1).await;
        stage.pass(START + 3 * HOUR_MS + 5000).await;
        let expected =
            [(Completed, Schedule, Some(1)), (Skipped, Schedule, Some(2)), (Queued, Schedule, Some(3))];
        assert_eq!(stage.rows().await, expected);
        assert_eq!(stage.backups().await[2].name, "daily-3");
    })
    .await;
}

/// Three slots pass without the agent, which then comes.
async fn miss_three(action: MissedAction, then: &'static [(RunState, RunOrigin, Option<i64>)]) {
    testing::each(|db| async move {
        let stage = Stage::new(&db, "hourly:1", action).await;
        stage.pass(START + HOUR_MS + 9 * 60_000).await;
        assert_eq!(stage.rows().await, [], "it may still come");
        stage.pass(START + 3 * HOUR_MS + 11 * 60_000).await;
        let missed: Vec<_> = (1..=3).map(|hour| (Missed, Schedule, Some(hour))).collect();
        assert_eq!(stage.rows().await, missed);
        let _messages = stage.connect();
        for second in 0..3 {
            stage.pass(START + 3 * HOUR_MS + 12 * 60_000 + second * 1000).await;
        }
        assert_eq!(stage.rows().await, [&missed, then].concat());
    })
    .await;
}

#[tokio::test]
async fn missed_slots_are_made_up_for_by_one_run_or_not_at_all_as_configured() {
    miss_three(MissedAction::Asap, &[(Queued, MadeUp, None)]).await;
    miss_three(MissedAction::NextSlot, &[]).await;
}

#[tokio::test]
async fn a_clock_that_ran_ahead_leaves_no_missed_slots_in_the_future() {
    testing::each(|db| async move {
        let stage = Stage::new(&db, "daily@02:00", MissedAction::NextSlot).await;
        stage.pass(START + 26 * HOUR_MS).await;
        // Three weeks ahead, and back again.
        stage.pass(START + 21 * 24 * HOUR_MS).await;
        assert_eq!(stage.rows().await.len(), 21);
        stage.pass(START + 27 * HOUR_MS).await;
        assert_eq!(stage.rows().await, [(Missed, Schedule, Some(2)), (Missed, Schedule, Some(26))]);
        let _messages = stage.connect();
        stage.pass(START + 50 * HOUR_MS).await;
        assert_eq!(stage.rows().await[2..], [(Queued, Schedule, Some(50))]);
    })
    .await;
}

#[tokio::test]
async fn two_servers_that_look_at_once_make_one_run() {
    testing::each(|db| async move {
        let stage = Arc::new(Stage::new(&db, "hourly:1", MissedAction::Asap).await);
        let _messages = stage.connect();
        for hour in 1..=20 {
            let now = START + hour * HOUR_MS;
            let passes = [(); 4].map(|()| {
                let stage = stage.clone();
                tokio::spawn(async move { stage.pass(now).await })
            });
            for pass in passes {
                pass.await.unwrap();
            }
            stage.finish(now + 1).await;
        }
        let expected: Vec<_> = (1..=20).map(|hour| (Completed, Schedule, Some(hour))).collect();
        assert_eq!(stage.rows().await, expected);
    })
    .await;
}

#[tokio::test]
async fn the_disabled_are_left_alone_and_begin_anew_when_they_are_enabled() {
    testing::each(|db| async move {
        let stage = Stage::new(&db, "hourly:1", MissedAction::Asap).await;
        let set = async |enabled, now| {
            let mut write = db.write().await.unwrap();
            db::agent::set_enabled(&mut write, stage.account, stage.agent, enabled).await.unwrap();
            if enabled {
                db::schedule::agent_enabled(&mut write, stage.agent, now).await.unwrap();
            }
            write.commit().await.unwrap();
        };
        set(false, START).await;
        stage.pass(START + 100 * HOUR_MS).await;
        assert_eq!(stage.rows().await, []);
        set(true, START + 100 * HOUR_MS + 1).await;
        let _messages = stage.connect();
        stage.pass(START + 100 * HOUR_MS + 1000).await;
        assert_eq!(stage.rows().await, []);
        assert_eq!(stage.next_runtime().await, START + 101 * HOUR_MS);
    })
    .await;
}
