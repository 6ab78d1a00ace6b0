//! A database of the first release, with rows of every kind, is opened by today's code: nothing is lost.
//!
//! `fixtures/0001.sqlite` was written once by [`write_fixture`] from the first step and `fixtures/0001_rows.sql`, and is
//! never written again. PostgreSQL has no such file, so there the two texts are run.

use std::path::Path;

use roadstead_api::{
    backup::BackupQuery,
    id::{AccountId, AgentId, BackupId, CheckId, RestoreId, UserId, VaultId},
    run::RunState,
    user::Role,
    vault::VaultMode,
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::{STEPS, statements};
use crate::db::{
    self, Db,
    dialect::{Dialect, postgres},
    row::Columns,
    testing,
};

const ROWS: &str = include_str!("fixtures/0001_rows.sql");
const ACCOUNT: AccountId = AccountId(1);

#[tokio::test]
async fn a_sqlite_file_of_the_first_release_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roadstead.db");
    std::fs::write(&file, include_bytes!("fixtures/0001.sqlite")).unwrap();
    let db = Db::open_embedded(&file).await.unwrap();
    assert_whole(&db).await;
    db.close().await;
}

#[tokio::test]
async fn a_postgres_database_of_the_first_release_is_read_whole() {
    testing::on_postgres(async |url| {
        let mut connection = postgres::schema_connection(&url).await.unwrap();
        write_first_release(&mut connection).await;
        connection.close().await.unwrap();
        let db = Db::open_shared(&url).await.unwrap();
        assert_whole(&db).await;
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    testing::each(|db| async move {
        let mut write = db.write().await.unwrap();
        for step in STEPS.len() + 1..=STEPS.len() + 2 {
            let insert = format!("INSERT INTO schema_steps (step) VALUES ({step})");
            write.execute(AssertSqlSafe(insert)).await.unwrap();
        }
        let error = super::migrate(&mut write).await.unwrap_err();
        assert!(error.message.contains("newer"), "{error}");
    })
    .await;
}

/// Writes the file. Run by hand, once: `cargo test -p roadstead-server write_fixture -- --ignored`.
#[tokio::test]
#[ignore = "writes the fixture that the other tests read"]
async fn write_fixture() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/schema/fixtures/0001.sqlite");
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    connection.execute("PRAGMA journal_mode = WAL").await.unwrap();
    write_first_release(&mut connection).await;
    connection.close().await.unwrap();
}

async fn write_first_release(connection: &mut AnyConnection) {
    let schema = Dialect::of(connection).schema(STEPS[0]);
    let steps = "CREATE TABLE schema_steps (step BIGINT NOT NULL PRIMARY KEY);
                 INSERT INTO schema_steps (step) VALUES (1)";
    for text in [schema.as_str(), ROWS, steps] {
        for statement in statements(text) {
            connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
    }
}

async fn assert_whole(db: &Db) {
    assert_people(db).await;
    assert_agents(db).await;
    assert_vaults(db).await;
    assert_runs(db).await;
    assert_checks(db).await;
    let mut write = db.write().await.unwrap();
    let next = db::api_key::insert(&mut write, UserId(1), "new", "new-hash", 1).await.unwrap();
    assert_eq!(next.0, 2);
    write.commit().await.unwrap();
}

async fn assert_people(db: &Db) {
    let mut read = db.read().await.unwrap();
    assert_eq!(db::account::sealed_key(&mut read, ACCOUNT).await.unwrap(), "c2VhbGVk");
    let (user, hash) = db::user::with_password_hash(&mut read, "admin").await.unwrap().unwrap();
    assert_eq!((user.id, user.account_id, user.role), (UserId(1), ACCOUNT, Role::Admin));
    assert!(hash.starts_with("$argon2id$"));
    assert_eq!(db::user::by_api_key(&mut read, "key-hash").await.unwrap().unwrap().id, user.id);
    let keys = db::api_key::list(&mut read, user.id, 0, 10).await.unwrap();
    assert_eq!((keys.len(), keys[0].name.as_str()), (1, "first start"));
}

async fn assert_agents(db: &Db) {
    let mut write = db.write().await.unwrap();
    let agents = db::agent::list(&mut write, ACCOUNT, 0, 10).await.unwrap();
    let names: Vec<_> = agents.iter().map(|a| (a.name.as_str(), a.enabled, a.encrypted, a.busy)).collect();
    assert_eq!(names, [("Zoë", true, false, true), ("ada", false, true, false)]);
    assert_eq!(agents[0].last_seen_at.unwrap().as_millisecond(), 1_700_000_000_004);
    assert_eq!(agents[1].last_seen_at, None);
    assert_eq!(db::agent::by_credential(&mut write, "credential-2").await.unwrap(), Some(AgentId(2)));
    let now = 1_700_000_001_000;
    let spent = db::enrolment_token::claim(&mut write, "token-spent", "print-1", now).await.unwrap();
    assert_eq!(spent.unwrap().agent_id, Some(AgentId(1)));
    let taken = db::enrolment_token::claim(&mut write, "token-spent", "print-9", now).await.unwrap();
    assert!(taken.is_none());
    let open = db::enrolment_token::claim(&mut write, "token-open", "print-9", now).await.unwrap();
    assert_eq!(open.unwrap().agent_id, None);
}

async fn assert_vaults(db: &Db) {
    let mut read = db.read().await.unwrap();
    let vaults = db::vault::list(&mut read, ACCOUNT, "", 10).await.unwrap();
    let ids: Vec<_> = vaults.iter().map(|v| (v.id.0.as_str(), v.mode)).collect();
    assert_eq!(ids, [("Vault-2", VaultMode::Sealed), ("vault-1", VaultMode::Managed)]);
    assert_eq!(vaults[0].sealed_password, None);
    let vault = VaultId("vault-1".to_owned());
    let owner = db::vault_file::lock_owner(&mut read, &vault, "lock-1").await.unwrap();
    assert_eq!(owner.as_deref(), Some("agent 1"));
    let headers = read.fetch_all("SELECT * FROM vault_headers ORDER BY kind").await.unwrap();
    let headers: Vec<_> = headers.iter().map(|row| row.text("content").unwrap()).collect();
    assert_eq!(headers, ["Y29uZmln", "a2V5"]);
    let snapshot = read.fetch_one("SELECT * FROM vault_snapshots").await.unwrap();
    assert_eq!(snapshot.integer("arrived_ms").unwrap(), 1_700_000_000_010);
}

async fn assert_runs(db: &Db) {
    let mut read = db.read().await.unwrap();
    let backups = db::backup::list(&mut read, ACCOUNT, &BackupQuery::default(), 99, 99).await.unwrap();
    let states: Vec<_> = backups.iter().map(|b| (b.name.as_str(), b.state)).collect();
    let expected = [
        ("daily-3", RunState::Queued),
        ("daily-2", RunState::Failed),
        ("daily-1", RunState::CompletedWithErrors),
    ];
    assert_eq!(states, expected);
    let report = db::backup::report(&mut read, ACCOUNT, BackupId(1)).await.unwrap().unwrap();
    assert_eq!((report.duration_seconds, report.files_backed_up, report.bytes_added), (1.5, 4, 30));
    assert_eq!((report.restorable, report.errors[0].code), (true, 13));
    let configuration =
        db::backup_configuration::get(&mut read, ACCOUNT, backups[0].configuration_id).await.unwrap();
    let configuration = configuration.unwrap();
    assert_eq!((configuration.inclusions.len(), configuration.exclusions.len()), (2, 1));
    let active = db::run::active(&mut read, AgentId(1)).await.unwrap();
    assert_eq!(active.iter().map(|run| run.run.id).collect::<Vec<_>>(), [3]);
    let restore = db::restore::report(&mut read, ACCOUNT, RestoreId(1)).await.unwrap().unwrap();
    assert_eq!((restore.files_restored, restore.files_skipped, restore.ok), (2, 2, true));
}

async fn assert_checks(db: &Db) {
    let mut write = db.write().await.unwrap();
    let check = db::check::get(&mut write, ACCOUNT, CheckId(1)).await.unwrap().unwrap();
    assert_eq!((check.problems.len(), check.bytes_read, check.read_data), (1, 3, true));
    db::check::requeue_interrupted(&mut write).await.unwrap();
    assert_eq!(db::check::claim(&mut write, 0).await.unwrap().unwrap().id, CheckId(2));
}
