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

use super::{dialect::sqlite::BEGIN, fault};
use crate::{Error, ErrorKind, Result};

/// How the commit of a group ended; `None` while it goes on.
type Ending = Option<Result<(), Arc<sqlx::Error>>>;

#[derive(Debug)]
struct Writer {
    connection: AnyConnection,
    /// The group that gathers in the open transaction.
    group: Option<watch::Sender<Ending>>,
    /// A writer left without commit; its savepoint is still to be undone.
    abandoned: bool,
    /// A writer may have left while it opened the transaction: nobody knows whether that is open.
    opening: bool,
}

/// Hands out the writing connection and commits in groups.
#[derive(Debug)]
pub struct GroupCommit {
    writer: Arc<Mutex<Writer>>,
    written: Arc<Notify>,
}

/// One writer's turn. Statements run on it as on a connection.
#[derive(Debug)]
pub struct Turn {
    writer: Option<OwnedMutexGuard<Writer>>,
    group: watch::Receiver<Ending>,
    written: Arc<Notify>,
}

impl GroupCommit {
    /// Takes over the connection that writes, and starts the task that commits.
    pub fn new(connection: AnyConnection) -> Self {
        let writer =
            Arc::new(Mutex::new(Writer { connection, group: None, abandoned: false, opening: false }));
        let written = Arc::new(Notify::new());
        tokio::spawn(commit_groups(Arc::downgrade(&writer), written.clone()));
        Self { writer, written }
    }

    /// Waits for a turn.
    pub async fn begin(&self) -> Result<Turn> {
        let mut writer = self.writer.clone().lock_owned().await;
        writer.undo_abandoned().await?;
        let group = match &writer.group {
            Some(group) => group.subscribe(),
            None => {
                // The statement is carried out also for a future that is dropped meanwhile: with a request whose
                // client has gone.
                writer.opening = true;
                let opened = sqlx::query(BEGIN).execute(&mut writer.connection).await;
                writer.opening = false;
                opened?;
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
        Ok(Turn { writer: Some(writer), group, written: self.written.clone() })
    }

    /// Commits what is open and closes the write-ahead log's connection to it.
    pub async fn close(&self) {
        let mut writer = self.writer.lock().await;
        writer.commit().await;
    }
}

impl Turn {
    /// Returns when what was written is on disk.
    pub async fn commit(mut self) -> Result<()> {
        if let Some(mut writer) = self.writer.take() {
            sqlx::query("RELEASE writer").execute(&mut writer.connection).await?;
            writer.abandoned = false;
        }
        self.written.notify_one();
        let lost = || Error::internal("The database was closed before the change was on disk.");
        let ending = self.group.wait_for(Option::is_some).await.map_err(|_| lost())?.clone();
        ending.unwrap_or(Ok(())).map_err(|e| match fault::kind(&e) {
            ErrorKind::Internal => Error::internal("The change did not reach the disk.").caused_by(e),
            kind => Error::new(kind, fault::message(kind)).caused_by(e),
        })
    }
}

impl Deref for Turn {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        #[allow(
            clippy::expect_used,
            reason = "only `commit` takes the writer out, and it consumes the value"
        )]
        &self.writer.as_ref().expect("a turn holds its writer").connection
    }
}

impl DerefMut for Turn {
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
        if self.opening {
            // There may be no transaction; then there is nothing to undo, and saying so is no error.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.opening = false;
        }
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
    use std::{future::Future, pin::pin, task::Poll};

    use sqlx::{AnyConnection, Connection, Executor};

    use crate::db::Db;

    /// Lets a future begin, and drops it as one whose caller has gone.
    async fn begin_and_drop<T>(future: impl Future<Output = T>) -> bool {
        let mut future = pin!(future);
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn a_writer_that_leaves_while_the_transaction_is_opened_harms_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let db = Db::open_embedded(&file).await.unwrap();
        let mut other = AnyConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        for round in 0..3 {
            // Another process holds the file, so that the opening waits.
            other.execute("BEGIN IMMEDIATE").await.unwrap();
            assert!(begin_and_drop(db.write()).await, "the turn came at once in round {round}");
            other.execute("ROLLBACK").await.unwrap();
            let mut write = db.write().await.unwrap();
            write
                .execute("INSERT INTO accounts (name, sealed_key, created_ms) VALUES ('a', '', 1)")
                .await
                .unwrap();
            write.commit().await.unwrap();
        }
        other.close().await.unwrap();
    }
}
