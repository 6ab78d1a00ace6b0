//! Databases for tests: each test runs on SQLite, and on PostgreSQL where `ROADSTEAD_TEST_POSTGRES` names one, in a
//! fresh database of its own there.

use std::{future::Future, sync::Arc};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use super::Db;
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
