//! Databases for tests: each test runs on SQLite, and on PostgreSQL where `ROADSTEAD_TEST_POSTGRES` names one, in a
//! fresh database of its own there.

use std::{future::Future, sync::Arc};

use roadstead_api::{
    agent::HostFacts,
    backup_configuration::NewBackupConfiguration,
    id::{AccountId, SnapshotId, VaultId},
    link::{RunKind, RunRef},
    retention::Retention,
    run::{RunOrigin, RunState},
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::{Db, agent::NewAgent, backup::NewBackupRow};
use crate::{DatabaseUrl, random};

/// Runs a test on a fresh database of every kind.
pub async fn each<Fut: Future<Output = ()>>(test: impl Fn(Arc<Db>) -> Fut) {
    let folder = tempfile::tempdir().unwrap();
    let db = Arc::new(Db::open_embedded(&folder.path().join("db")).await.unwrap());
    test(db.clone()).await;
    db.close().await;
    on_postgres(async |url| {
        let db = Arc::new(Db::open_shared(&url).await.unwrap());
        test(db.clone()).await;
        db.close().await;
    })
    .await;
}

/// Runs a test on a fresh, empty database of PostgreSQL, if there is one. A failed test leaves its database behind.
pub async fn on_postgres(test: impl AsyncFnOnce(DatabaseUrl)) {
    let Ok(server) = std::env::var("ROADSTEAD_TEST_POSTGRES") else {
        assert!(std::env::var_os("CI").is_none(), "CI tests on PostgreSQL, too");
        return;
    };
    sqlx::any::install_default_drivers();
    let name = format!("test_{}", random::id().unwrap());
    let mut admin = AnyConnection::connect(&server).await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    test(format!("{base}/{name}").parse().unwrap()).await;
    admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
}

/// A new account with a vault, made at this time, that has rules of retention and a backup.
pub async fn vault(db: &Db, now_ms: i64) -> (AccountId, VaultId) {
    let mut write = db.write().await.unwrap();
    let account = super::account::insert(&mut write, "test", now_ms).await.unwrap();
    let host = HostFacts::default();
    let new = NewAgent {
        account_id: account,
        name: "web",
        public_key: "",
        fingerprint: "",
        credential_hash: "",
        host: &host,
        now_ms,
    };
    let agent = super::agent::insert(&mut write, &new).await.unwrap();
    let vault = VaultId("vault".to_owned());
    super::vault::insert(&mut write, &vault, (account, agent), "", now_ms).await.unwrap();
    let retention = Retention { days: Some(30), ..Retention::default() };
    let new = NewBackupConfiguration {
        retention,
        ..NewBackupConfiguration::new("daily", agent, vec!["/etc".to_owned()])
    };
    let configuration = super::backup_configuration::insert(&mut write, account, &new, now_ms).await.unwrap();
    let row = NewBackupRow {
        account_id: account,
        configuration_id: configuration,
        agent_id: agent,
        vault_id: &vault,
        name: "daily-1",
        origin: RunOrigin::Asked,
        slot_ms: None,
        ended: None,
        now_ms,
    };
    let id = super::backup::insert(&mut write, &row).await.unwrap();
    super::backup::set_snapshot(&mut write, id.0, &SnapshotId("s".into())).await.unwrap();
    let run = RunRef { kind: RunKind::Backup, id: id.0 };
    super::run::end(&mut write, run, RunState::Completed, None, now_ms).await.unwrap();
    write.commit().await.unwrap();
    (account, vault)
}
