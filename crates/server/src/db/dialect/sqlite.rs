//! SQLite: one file, write-ahead log, `synchronous=FULL`.

use std::{path::Path, time::Duration};

use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Executor, any::AnyPoolOptions,
};

use crate::{Error, Result};

/// Takes the write lock at once, so that a second process on the same file is noticed before anything is written.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

/// The type of a row's own number; never used twice.
pub const ID: &str = "INTEGER PRIMARY KEY AUTOINCREMENT";

/// There is one writer, so nobody can come between the look and the change.
pub const CLAIM_CHECK: &str = "UPDATE checks SET state = 'in_progress'
     WHERE id = (SELECT MIN(id) FROM checks WHERE state = 'queued') RETURNING *";

/// There is one server, and it asks while it runs no check itself: whatever is in progress was left by a dead one.
pub const REQUEUE_CHECKS: &str = "UPDATE checks SET state = 'queued' WHERE state = 'in_progress'";

/// How long to wait while another process (a copy being made, a look with `sqlite3`) holds the file.
pub const BUSY_WITHIN: Duration = Duration::from_secs(10);

/// How many connections read beside each other.
const READERS: u32 = 4;

/// Opens the file for reading, and once for writing; makes it if it is not there. While another process holds it,
/// every statement waits for as long as `busy_within`.
pub async fn open(file: &Path, busy_within: Duration) -> Result<(AnyPool, AnyConnection)> {
    sqlx::any::install_default_drivers();
    let path = file.to_str().ok_or_else(|| Error::invalid("The data folder's path must be UTF-8."))?;
    let url =
        format!("sqlite://{}?mode=rwc", path.replace('%', "%25").replace('?', "%3F").replace('#', "%23"));
    let options: sqlx::any::AnyConnectOptions = url.parse()?;
    let pragmas = pragmas(busy_within);
    let mut writer = AnyConnection::connect_with(&options.clone().disable_statement_logging()).await?;
    writer.execute(AssertSqlSafe(pragmas.clone())).await?;
    let readers = AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(move |connection, _| {
            let pragmas = AssertSqlSafe(pragmas.clone());
            Box::pin(async move { connection.execute(pragmas).await.map(drop) })
        })
        .connect_with(options.disable_statement_logging())
        .await?;
    Ok((readers, writer))
}

/// The wait comes first: switching to the write-ahead log needs the file, too.
fn pragmas(busy_within: Duration) -> String {
    format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA cache_size = -2000;",
        busy_within.as_millis()
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use sqlx::{AnyConnection, Connection, Executor};

    use crate::{ErrorKind, db::Db};

    /// A connection, as another process would have it, that holds the file.
    async fn hold(file: &std::path::Path) -> AnyConnection {
        Db::open_embedded(file).await.unwrap().close().await;
        let mut holder = AnyConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        holder.execute("PRAGMA locking_mode = EXCLUSIVE").await.unwrap();
        holder.execute("BEGIN EXCLUSIVE").await.unwrap();
        holder
    }

    #[tokio::test]
    async fn a_file_that_is_held_for_a_while_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let holder = hold(&file).await;
        let opening = tokio::spawn(async move {
            let db = Db::open_embedded(&file).await?;
            let mut write = db.write().await?;
            write.execute("INSERT INTO accounts (name, sealed_key, created_ms) VALUES ('a', '', 1)").await?;
            write.commit().await
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!opening.is_finished());
        holder.close().await.unwrap();
        opening.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_held_for_long_is_a_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let _holder = hold(&file).await;
        let begun = Instant::now();
        let error = Db::open_embedded_within(&file, Duration::from_millis(300)).await.unwrap_err();
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert_eq!(error.kind, ErrorKind::Unavailable, "{}", error.chain());
        assert!(error.message.contains("Another process"), "{error}");
    }
}
