//! SQLite: one file, write-ahead log, `synchronous=FULL`.

use std::{path::Path, time::Duration};

use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use crate::{Error, Result};

/// Takes the write lock at once, so that a second process on the same file is noticed before anything is written.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

/// The type of a row's own number; never used twice.
pub const ID: &str = "INTEGER PRIMARY KEY AUTOINCREMENT";

/// There is one writer, so nobody can come between the look and the change.
pub fn claim(table: &str, after: i64) -> String {
    format!(
        "UPDATE {table} SET state = 'in_progress'
         WHERE id = (SELECT MIN(id) FROM {table} WHERE state = 'queued' AND id > {after}) RETURNING *"
    )
}

/// There is one server, and it asks while it does no such job itself: whatever is in progress was left by a dead one.
pub fn requeue(table: &str) -> String {
    format!("UPDATE {table} SET state = 'queued' WHERE state = 'in_progress'")
}

/// How long to wait while another process (a copy being made, a look with `sqlite3`) holds the file.
pub const BUSY_WITHIN: Duration = Duration::from_secs(10);

/// How many connections read beside each other.
const READERS: u32 = 4;

/// Begins to read: whatever comes later is not seen.
pub const BEGIN_MOMENT: &str = "BEGIN";

/// The highest number that a row of a table ever had.
pub const LAST_NUMBER: &str = "SELECT seq FROM sqlite_sequence WHERE name = $1";

/// Sets it.
pub const SET_LAST_NUMBER: [&str; 2] = [
    "UPDATE sqlite_sequence SET seq = $2 WHERE name = $1",
    "INSERT INTO sqlite_sequence (name, seq)
     SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = $1)",
];

/// Whether there is the table that counts the steps of the schema.
pub const HAS_SCHEMA: &str =
    "SELECT COUNT(*) AS found FROM sqlite_master WHERE type = 'table' AND name = 'schema_steps'";

/// A single connection to the file, which is made if it is not there.
pub async fn connect(file: &Path) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    connect_with(&options(file)?, pragmas(BUSY_WITHIN)).await
}

async fn connect_with(options: &AnyConnectOptions, pragmas: String) -> Result<AnyConnection> {
    let mut connection = AnyConnection::connect_with(&options.clone().disable_statement_logging()).await?;
    connection.execute(AssertSqlSafe(pragmas)).await?;
    Ok(connection)
}

fn options(file: &Path) -> Result<AnyConnectOptions> {
    let path = file.to_str().ok_or_else(|| Error::invalid("The data folder's path must be UTF-8."))?;
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{path}?mode=rwc").parse()?)
}

/// Opens the file for reading, and once for writing; makes it if it is not there. While another process holds it,
/// every statement waits for as long as `busy_within`.
pub async fn open(file: &Path, busy_within: Duration) -> Result<(AnyPool, AnyConnection)> {
    sqlx::any::install_default_drivers();
    let options = options(file)?;
    let pragmas = pragmas(busy_within);
    let writer = connect_with(&options, pragmas.clone()).await?;
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
