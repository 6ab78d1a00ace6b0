//! One writing connection, many writers, few commits.
//!
//! The connection sits behind a fair mutex. A writer that gets it opens the outer transaction if none is open, then a
//! savepoint; at the end it releases the savepoint and waits for the group. The committer is one more in the same
//! queue: whoever was waiting before it joins the group, and while it syncs the next group gathers.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use sqlx::AnyConnection;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, watch};

use crate::{Error, Result, db::dialect::sqlite::BEGIN};

/// How the commit of a group ended; `None` while it goes on.
type Ending = Option<Result<(), Arc<sqlx::Error>>>;

#[derive(Debug)]
struct Writer {
    connection: AnyConnection,
    /// The group that gathers in the open transaction.
    group: Option<watch::Sender<Ending>>,
    /// A writer left without commit; its savepoint is still to be undone.
    abandoned: bool,
}

/// Hands out the writing connection and commits in groups.
#[derive(Debug)]
pub struct GroupCommit {
    writer: Arc<Mutex<Writer>>,
    written: Arc<Notify>,
}

/// One writer's turn. Statements run on it as on a connection.
#[derive(Debug)]
pub struct Write {
    writer: Option<OwnedMutexGuard<Writer>>,
    group: watch::Receiver<Ending>,
    written: Arc<Notify>,
}

impl GroupCommit {
    /// Takes over the connection that writes, and starts the task that commits.
    pub fn new(connection: AnyConnection) -> Self {
        let writer = Arc::new(Mutex::new(Writer { connection, group: None, abandoned: false }));
        let written = Arc::new(Notify::new());
        tokio::spawn(commit_groups(Arc::downgrade(&writer), written.clone()));
        Self { writer, written }
    }

    /// Waits for a turn.
    pub async fn begin(&self) -> Result<Write> {
        let mut writer = self.writer.clone().lock_owned().await;
        writer.undo_abandoned().await?;
        let group = match &writer.group {
            Some(group) => group.subscribe(),
            None => {
                sqlx::query(BEGIN).execute(&mut writer.connection).await?;
                let (group, ending) = watch::channel(None);
                writer.group = Some(group);
                // From here on somebody has to end the transaction, also if this writer gives up.
                self.written.notify_one();
                ending
            }
        };
        // A future dropped between here and the hand-over leaves a savepoint open, so it is marked first.
        writer.abandoned = true;
        sqlx::query("SAVEPOINT writer").execute(&mut writer.connection).await?;
        Ok(Write { writer: Some(writer), group, written: self.written.clone() })
    }

    /// Commits what is open and closes the write-ahead log's connection to it.
    pub async fn close(&self) {
        let mut writer = self.writer.lock().await;
        writer.commit().await;
    }
}

impl Write {
    /// Returns when what was written is on disk.
    pub async fn commit(mut self) -> Result<()> {
        if let Some(mut writer) = self.writer.take() {
            sqlx::query("RELEASE writer").execute(&mut writer.connection).await?;
            writer.abandoned = false;
        }
        self.written.notify_one();
        let lost = || Error::internal("The database was closed before the change was on disk.");
        let ending = self.group.wait_for(Option::is_some).await.map_err(|_| lost())?.clone();
        ending
            .unwrap_or(Ok(()))
            .map_err(|e| Error::internal("The change did not reach the disk.").caused_by(e))
    }
}

impl Deref for Write {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        #[allow(
            clippy::expect_used,
            reason = "only `commit` takes the writer out, and it consumes the value"
        )]
        &self.writer.as_ref().expect("a turn holds its writer").connection
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        #[allow(
            clippy::expect_used,
            reason = "only `commit` takes the writer out, and it consumes the value"
        )]
        &mut self.writer.as_mut().expect("a turn holds its writer").connection
    }
}

impl Writer {
    async fn undo_abandoned(&mut self) -> Result<()> {
        if self.abandoned && self.group.is_some() {
            // The savepoint may not have been made; then there is nothing to undo, and saying so is no error.
            let _ = sqlx::query("ROLLBACK TO writer").execute(&mut self.connection).await;
            let _ = sqlx::query("RELEASE writer").execute(&mut self.connection).await;
        }
        self.abandoned = false;
        Ok(())
    }

    async fn commit(&mut self) {
        let _ = self.undo_abandoned().await;
        let Some(group) = self.group.take() else { return };
        let ending = sqlx::query("COMMIT").execute(&mut self.connection).await;
        if let Err(error) = &ending {
            tracing::error!(%error, "a group of changes could not be committed");
            // After a failed COMMIT (a full disk) the transaction may still be open; the next one needs it gone.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        }
        group.send_replace(Some(ending.map(drop).map_err(Arc::new)));
    }
}

async fn commit_groups(writer: std::sync::Weak<Mutex<Writer>>, written: Arc<Notify>) {
    loop {
        written.notified().await;
        let Some(writer) = writer.upgrade() else { return };
        writer.lock().await.commit().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sqlx::Row;

    use crate::db::{Db, dialect::sqlite};

    async fn fresh(file: &std::path::Path) -> Arc<Db> {
        let (readers, mut connection) = sqlite::open(file).await.unwrap();
        sqlx::query("CREATE TABLE n (v BIGINT)").execute(&mut connection).await.unwrap();
        Arc::new(Db { readers, writer: super::GroupCommit::new(connection) })
    }

    async fn count(db: &Db) -> i64 {
        let mut read = db.read().await.unwrap();
        sqlx::query("SELECT COUNT(*) AS c FROM n").fetch_one(&mut *read).await.unwrap().get("c")
    }

    #[tokio::test]
    async fn many_writers_are_all_committed() {
        let folder = tempfile::tempdir().unwrap();
        let db = fresh(&folder.path().join("db")).await;
        let tasks: Vec<_> = (0..200)
            .map(|v| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut write = db.write().await.unwrap();
                    sqlx::query("INSERT INTO n VALUES ($1)")
                        .bind(i64::from(v))
                        .execute(&mut *write)
                        .await
                        .unwrap();
                    write.commit().await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(count(&db).await, 200);
    }

    #[tokio::test]
    async fn a_dropped_turn_leaves_nothing_and_harms_no_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        let db = fresh(&folder.path().join("db")).await;
        let mut kept = db.write().await.unwrap();
        sqlx::query("INSERT INTO n VALUES (1)").execute(&mut *kept).await.unwrap();
        let neighbour = tokio::spawn({
            let db = db.clone();
            async move {
                let mut dropped = db.write().await.unwrap();
                sqlx::query("INSERT INTO n VALUES (2)").execute(&mut *dropped).await.unwrap();
            }
        });
        kept.commit().await.unwrap();
        neighbour.await.unwrap();
        let mut last = db.write().await.unwrap();
        sqlx::query("INSERT INTO n VALUES (3)").execute(&mut *last).await.unwrap();
        last.commit().await.unwrap();
        assert_eq!(count(&db).await, 2);
    }

    #[tokio::test]
    async fn a_failed_statement_fails_only_its_own_turn() {
        let folder = tempfile::tempdir().unwrap();
        let db = fresh(&folder.path().join("db")).await;
        let mut bad = db.write().await.unwrap();
        assert!(sqlx::query("INSERT INTO nowhere VALUES (1)").execute(&mut *bad).await.is_err());
        drop(bad);
        let mut good = db.write().await.unwrap();
        sqlx::query("INSERT INTO n VALUES (1)").execute(&mut *good).await.unwrap();
        good.commit().await.unwrap();
        assert_eq!(count(&db).await, 1);
    }
}
