//! Background work on vaults of which one is not as it should be: the others do not wait for it, and it is tried again.
//! What the children of the server would do is done by a shell, which logs each start and answers as it is told.

use std::{path::PathBuf, sync::Arc, time::Duration};

use roadstead_api::{
    check::Check,
    id::{AccountId, VaultId, VaultTaskId},
    run::RunState,
    vault_task::{NewVaultTask, VaultTask},
};
use rustix::fs::{CWD, Mode, mkfifoat};
use sqlx::{Executor, query};
use tempfile::TempDir;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::open;
use crate::{
    ManualClock, ServerOptions, WorkerCommand,
    app::{App, account_key_place, vault_password_place},
    db::{self, testing},
    jobs,
    secrets::Key,
};

/// Takes the order, says so, and answers with what somebody writes into the pipe.
const SHELL: &str = "read -r order && echo began >>\"$0.log\" && exec cat \"$0\"";

/// 1 January 2026, 00:00 UTC.
const NOW_MS: i64 = 1_767_225_600_000;

/// A server without its front doors, and a managed vault on it with one backup.
struct Stage {
    app: Arc<App>,
    account: AccountId,
    vault: VaultId,
    background: JoinSet<()>,
    _end: watch::Sender<bool>,
    folder: TempDir,
}

impl Stage {
    /// Nothing goes on yet.
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let arguments = vec!["-c".into(), SHELL.into(), pipe.into()];
        let worker = WorkerCommand { program: "/bin/sh".into(), arguments };
        let address = "127.0.0.1:7643".parse().unwrap();
        let mut options = ServerOptions::new(folder.path().join("data"), address, worker);
        // It stands still, so that nothing is due by itself.
        options.clock = Arc::new(ManualClock::new(NOW_MS));
        let public_url = options.public_url(address).unwrap();
        std::fs::create_dir(&options.data_dir).unwrap();
        let (end, ended) = watch::channel(false);
        let app = Arc::new(open(&options, public_url, "plain".to_owned(), ended).await.unwrap());
        let (account, vault) = testing::vault(&app.db, app.now_ms()).await;
        let stage = Self { app, account, vault, background: JoinSet::new(), _end: end, folder };
        stage.make_vault().await;
        stage
    }

    /// Makes the vault's files, and keeps its password and headers as enrolment does.
    async fn make_vault(&self) {
        let Self { app, account, vault, .. } = self;
        let (vaults, id) = (app.vaults.clone(), vault.clone());
        let made = tokio::task::spawn_blocking(move || vaults.create(&id, "password")).await.unwrap();
        let key = Key::random().unwrap();
        let sealed_key = app.master_key.seal(&account_key_place(*account), &key.to_text()).unwrap();
        let sealed = key.seal(&vault_password_place(&vault.0), "password").unwrap();
        let mut write = app.db.write().await.unwrap();
        db::account::set_sealed_key(&mut write, *account, &sealed_key).await.unwrap();
        let update = query("UPDATE vaults SET sealed_password = $1 WHERE id = $2");
        write.execute(update.bind(sealed).bind(vault.0.as_str())).await.unwrap();
        for header in made.unwrap() {
            db::vault_file::insert_header(&mut write, vault, header.kind, &header.name, &header.content)
                .await
                .unwrap();
        }
        write.commit().await.unwrap();
    }

    /// A second vault of the same agent's, which comes after the first.
    async fn other_vault(&self) -> VaultId {
        let (app, other) = (&self.app, VaultId("vault-2".to_owned()));
        let (vaults, id) = (app.vaults.clone(), other.clone());
        tokio::task::spawn_blocking(move || vaults.create(&id, "password")).await.unwrap().unwrap();
        let mut write = app.db.write().await.unwrap();
        let agent = db::vault::get(&mut write, &self.vault).await.unwrap().unwrap().agent_id;
        db::vault::retire(&mut write, &self.vault, app.now_ms()).await.unwrap();
        db::vault::insert(&mut write, &other, (self.account, agent), "", app.now_ms()).await.unwrap();
        write.commit().await.unwrap();
        other
    }

    fn start(&mut self) {
        self.background = jobs::start(&self.app);
    }

    fn files(&self, vault: &VaultId) -> PathBuf {
        self.folder.path().join("data/vaults").join(&vault.0)
    }

    /// How many children were started so far.
    fn began(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("pipe.log"));
        log.unwrap_or_default().lines().count()
    }

    /// Lets the child that waits answer this.
    async fn answer(&self, line: &str) {
        let written = tokio::fs::write(self.folder.path().join("pipe"), format!("{line}\n"));
        timeout(Duration::from_secs(60), written).await.expect("a child reads").unwrap();
    }

    async fn new_task(&self) -> VaultTaskId {
        let Self { app, account, vault, .. } = self;
        let (mut write, drill) = (app.db.write().await.unwrap(), NewVaultTask::drill());
        let made = db::vault_task::insert(&mut write, *account, vault, &drill, None, app.now_ms()).await;
        write.commit().await.unwrap();
        app.live.vault_tasks.notify_one();
        made.unwrap().unwrap()
    }

    async fn task(&self, id: VaultTaskId) -> VaultTask {
        let mut read = self.app.db.read().await.unwrap();
        db::vault_task::get(&mut read, self.account, id).await.unwrap().unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        let mut write = self.app.db.write().await.unwrap();
        write.execute(sql).await.unwrap();
        write.commit().await.unwrap();
    }
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), waiting).await.expect(what);
}

#[tokio::test]
async fn a_check_that_waits_tells_what_is_lost_and_is_tried_again() {
    let mut stage = Stage::set().await;
    std::fs::remove_file(stage.files(&stage.vault).join("config")).unwrap();
    let (app, account) = (stage.app.clone(), stage.account);
    let mut write = app.db.write().await.unwrap();
    let id = db::check::insert(&mut write, account, &stage.vault, true, app.now_ms()).await.unwrap();
    write.commit().await.unwrap();
    let check = async || -> Check {
        db::check::get(&mut app.db.read().await.unwrap(), account, id).await.unwrap().unwrap()
    };
    stage.start();
    until("the vault is looked into", async || stage.began() == 1).await;
    let busy = r#"{"failed":{"not_found":false,"invalid":false,"busy":true,"message":"Out of reach."}}"#;
    stage.answer(busy).await;
    until("the check waits", async || check().await.reason.is_some()).await;
    let waiting = check().await;
    assert_eq!((waiting.state, waiting.reason.as_deref()), (RunState::Queued, Some("Out of reach.")));
    assert!(waiting.problems.len() == 1 && waiting.problems[0].starts_with("config is gone"), "{waiting:?}");
    until("the alarm is open", async || {
        let mut read = app.db.read().await.unwrap();
        let alarms = db::alarm::list(&mut read, account, Some(true), i64::MAX, 10).await.unwrap();
        alarms.iter().any(|alarm| alarm.message.contains("found damage"))
    })
    .await;

    app.live.checks.notify_one();
    until("it is tried again", async || stage.began() == 2).await;
    stage.answer(r#"{"done":{"problems":[],"snapshots_checked":1,"packs_checked":2,"bytes_read":3}}"#).await;
    until("it has ended", async || check().await.completed_at.is_some()).await;
    let ended = check().await;
    assert_eq!((ended.state, ended.packs_checked), (RunState::CompletedWithErrors, 2));
    assert_eq!((ended.problems, ended.reason), (waiting.problems, None));
}

#[tokio::test]
async fn a_task_that_cannot_be_begun_does_not_end_those_that_are() {
    let mut stage = Stage::set().await;
    let first = stage.new_task().await;
    stage.start();
    until("the first goes on", async || stage.began() == 1).await;
    stage
        .execute(
            "CREATE TRIGGER none_begins BEFORE UPDATE OF state ON vault_tasks WHEN OLD.state = 'queued'
             BEGIN SELECT RAISE(ABORT, 'not now'); END",
        )
        .await;
    let second = stage.new_task().await;
    // Whoever would begin it has had its turn to write by then.
    for _ in 0..50 {
        stage.execute("UPDATE vault_tasks SET stop_asked = 0").await;
    }
    let drilled = r#"{"done":{"snapshots":[],"files_held":1,"files":1,"bytes":5,"problems":[]}}"#;
    stage.answer(drilled).await;
    until("the first has ended", async || stage.task(first).await.completed_at.is_some()).await;
    assert_eq!((stage.task(first).await.state, stage.began()), (RunState::Completed, 1));
    assert_eq!(stage.task(second).await.state, RunState::Queued);

    stage.execute("DROP TRIGGER none_begins").await;
    stage.app.live.vault_tasks.notify_one();
    until("the second goes on", async || stage.began() == 2).await;
    stage.answer(drilled).await;
    until("the second has ended", async || stage.task(second).await.completed_at.is_some()).await;
    assert_eq!(stage.task(second).await.state, RunState::Completed);
}

#[tokio::test]
async fn a_vault_that_cannot_be_measured_keeps_no_other_from_it() {
    let mut stage = Stage::set().await;
    let (broken, sound) = (stage.vault.clone(), stage.other_vault().await);
    let data = stage.files(&broken).join("data");
    std::fs::write(&data, "no folder").unwrap();
    let app = stage.app.clone();
    let days = async |vault: &VaultId| {
        db::vault_growth::list(&mut app.db.read().await.unwrap(), vault, 0).await.unwrap().len()
    };
    stage.start();
    until("the sound one is measured", async || days(&sound).await == 1).await;
    assert_eq!(days(&broken).await, 0);
    std::fs::remove_file(&data).unwrap();
    app.live.growth.notify_one();
    until("the other is measured, too", async || days(&broken).await == 1).await;
}

#[tokio::test]
async fn a_deleted_vault_that_cannot_be_removed_keeps_no_other_from_it() {
    let mut stage = Stage::set().await;
    let (stuck, other) = (stage.vault.clone(), stage.other_vault().await);
    let (place, aside) = (stage.files(&stuck), stage.folder.path().join("aside"));
    std::fs::rename(&place, &aside).unwrap();
    std::fs::write(&place, "no folder").unwrap();
    let app = stage.app.clone();
    let mut write = app.db.write().await.unwrap();
    for vault in [&stuck, &other] {
        db::vault::delete(&mut write, vault, app.now_ms()).await.unwrap();
    }
    write.commit().await.unwrap();
    let left = async || db::vault::to_be_removed(&mut app.db.read().await.unwrap()).await.unwrap();
    stage.start();
    until("the other is gone", async || left().await == [stuck.clone()]).await;
    assert!(!stage.files(&other).exists());
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&aside, &place).unwrap();
    app.live.removals.notify_one();
    until("both are gone", async || left().await.is_empty()).await;
    assert!(!place.exists());
}
