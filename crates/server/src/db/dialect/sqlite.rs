//! SQLite: one file, write-ahead log, `synchronous=FULL`.

use std::{path::Path, time::Duration};

use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor, any::AnyPoolOptions};

use crate::{Error, Result};

/// Takes the write lock at once, so that a second process on the same file is noticed before anything is written.
pub const BEGIN: &str = "BEGIN IMMEDIATE";

/// The type of a row's own number; never used twice.
pub const ID: &str = "INTEGER PRIMARY KEY AUTOINCREMENT";

/// How many connections read beside each other.
const READERS: u32 = 4;

const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA cache_size = -2000;";

/// Opens the file for reading, and once for writing; makes it if it is not there.
pub async fn open(file: &Path) -> Result<(AnyPool, AnyConnection)> {
    sqlx::any::install_default_drivers();
    let path = file.to_str().ok_or_else(|| Error::invalid("The data folder's path must be UTF-8."))?;
    let url =
        format!("sqlite://{}?mode=rwc", path.replace('%', "%25").replace('?', "%3F").replace('#', "%23"));
    let options: sqlx::any::AnyConnectOptions = url.parse()?;
    let mut writer = AnyConnection::connect_with(&options.clone().disable_statement_logging()).await?;
    writer.execute(PRAGMAS).await?;
    let readers = AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(|connection, _| Box::pin(async move { connection.execute(PRAGMAS).await.map(drop) }))
        .connect_with(options.disable_statement_logging())
        .await?;
    Ok((readers, writer))
}
