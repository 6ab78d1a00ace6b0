//! SQLite databases: copied as they are at one moment by `VACUUM INTO`, which waits for nobody who reads or writes, and
//! read from the copy.
//!
//! The copy is made when the stream is read first, in the agent's own folder, and unlinked as soon as it is open.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::data_dir::DataDir;

/// How long to wait for whoever holds the database for himself.
const BUSY: Duration = Duration::from_secs(60);

/// A database, as a stream of its copy.
pub(super) struct Copy {
    database: PathBuf,
    copy: PathBuf,
    open: Option<File>,
}

impl Copy {
    /// A database, not looked at yet.
    pub fn of(database: &Path, data: &DataDir) -> Self {
        Self { database: database.to_owned(), copy: data.scratch(), open: None }
    }

    fn make(&self) -> io::Result<File> {
        remove(&self.copy)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let copied = runtime.block_on(vacuum(&self.database, &self.copy));
        let file = copied.map_err(io::Error::other).and_then(|()| File::open(&self.copy));
        remove(&self.copy)?;
        file
    }
}

impl Read for Copy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.open.is_none() {
            self.open = Some(self.make()?);
        }
        self.open.as_mut().map_or(Ok(0), |open| open.read(buffer))
    }
}

async fn vacuum(database: &Path, copy: &Path) -> Result<(), String> {
    let failed = |e: sqlx::Error| format!("{} cannot be copied: {e}", database.display());
    let copy = copy.to_str().ok_or("the path of the agent's folder is not UTF-8")?;
    let options = SqliteConnectOptions::new().filename(database).read_only(true).busy_timeout(BUSY);
    let mut connection = options.connect().await.map_err(failed)?;
    let vacuumed = sqlx::query("VACUUM INTO ?").bind(copy).execute(&mut connection).await;
    // It was only read from.
    let _ = connection.close().await;
    vacuumed.map(drop).map_err(failed)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read};

    use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

    use super::{Copy, DataDir};

    async fn open(path: &std::path::Path) -> SqliteConnection {
        SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_copy_holds_what_was_committed_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        let mut writer = open(&database).await;
        for statement in ["PRAGMA journal_mode = WAL", "CREATE TABLE t (n)", "INSERT INTO t VALUES (1)"] {
            sqlx::query(statement).execute(&mut writer).await.unwrap();
        }
        let mut open_change = writer.begin().await.unwrap();
        sqlx::query("INSERT INTO t VALUES (2)").execute(&mut *open_change).await.unwrap();
        let data = DataDir::new(folder.path());
        fs::write(data.scratch(), "left by a process that was killed").unwrap();
        let mut copy = Copy::of(&database, &data);
        let bytes = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            copy.read_to_end(&mut bytes).map(|_| bytes)
        });
        let bytes = bytes.await.unwrap().unwrap();
        assert!(!data.scratch().exists());
        let restored = folder.path().join("restored.db");
        fs::write(&restored, bytes).unwrap();
        let mut reader = open(&restored).await;
        let rows = sqlx::query("SELECT n FROM t").fetch_all(&mut reader).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.get::<i64, _>(0)).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn what_is_no_database_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        fs::write(folder.path().join("text"), "no database, but long enough to be looked at".repeat(100))
            .unwrap();
        for name in ["gone", "text"] {
            let error = Copy::of(&folder.path().join(name), &data).read(&mut [0; 10]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(!folder.path().join("gone").exists() && !data.scratch().exists());
    }
}
