//! The database: the only place with SQL. One file a noun; each function is one statement or a few.
//!
//! Reads go through a pool. Writes go through [`Db::write`], which hands out turns. The embedded database has one
//! writing connection: each writer works in a savepoint of its own, and [`Write::commit`] returns when the transaction
//! around all savepoints of the group is on disk. So what was acknowledged survives a power cut, and a hundred writers
//! that come together pay for one `fsync`. With PostgreSQL a turn is a transaction of its own, from a second pool.
//!
//! The SQL keeps to what SQLite and PostgreSQL share: integers for times (milliseconds since 1970), text compared
//! bytewise, `$1` for parameters, always of one type. What differs is in [`dialect`].

mod dialect;
mod fault;
mod filter;
mod group_commit;
pub mod neighbours;
pub mod row;
pub mod rows;
mod schema;
#[cfg(test)]
pub mod testing;
mod values;
mod write;

pub mod account;
pub mod activity;
pub mod agent;
pub mod agent_machine;
pub mod alarm;
pub mod api_key;
pub mod audit;
pub mod backend;
pub mod backup;
pub mod backup_configuration;
pub mod check;
pub mod cleanup;
pub mod command;
pub mod drill_settings;
pub mod enrolment_token;
pub mod idempotency_key;
pub mod image_star;
pub mod job;
pub mod key;
pub mod key_machine;
pub mod machine;
pub mod machine_history;
pub mod mail;
pub mod mail_settings;
pub mod metric;
pub mod metrics;
pub mod notification;
pub mod notification_channel;
pub mod quota;
pub mod rcbu;
pub mod restore;
pub mod restore_configuration;
pub mod run;
pub mod run_error;
pub mod saved_view;
pub mod schedule;
pub mod sealing;
pub mod session;
pub mod setup;
pub mod upkeep;
pub mod user;
pub mod vault;
pub mod vault_care;
pub mod vault_file;
pub mod vault_growth;
pub mod vault_task;

use std::{path::Path, sync::Arc, time::Duration};

use roadstead_api::id::{CheckId, CleanupId, VaultTaskId};
use sqlx::{Any, AnyConnection, AnyPool, pool::PoolConnection};

pub use write::Write;

use crate::{Clock, DatabaseUrl, Error, ErrorKind, Result, SystemClock, events::Events};
use dialect::{postgres, sqlite};
use group_commit::GroupCommit;
use neighbours::Neighbours;

/// A connection that reads.
pub type Read = PoolConnection<Any>;
/// What statements run on: a reading connection or a [`Write`].
pub type Connection = AnyConnection;

/// The server's database.
#[derive(Debug)]
pub struct Db {
    readers: AnyPool,
    writers: Writers,
    events: Arc<Events>,
}

#[derive(Debug)]
enum Writers {
    Embedded(GroupCommit),
    Shared { pool: AnyPool, url: DatabaseUrl },
}

/// The right to work on something that only one server may work on at a time. Dropped, or when the server dies, it is
/// free again.
#[derive(Debug)]
pub struct Lease {
    /// PostgreSQL frees the lock with the session; the embedded database has one server anyway.
    _session: Option<AnyConnection>,
}

impl Db {
    /// Opens the embedded database in this file, makes it if it is not there, and brings its schema up to date.
    pub async fn open_embedded(file: &Path) -> Result<Self> {
        Self::open_embedded_within(file, sqlite::BUSY_WITHIN).await
    }

    async fn open_embedded_within(file: &Path, busy_within: Duration) -> Result<Self> {
        let (readers, mut connection) = sqlite::open(file, busy_within).await.map_err(|e| held(file, e))?;
        schema::migrate(&mut connection).await.map_err(|e| held(file, e))?;
        Self::over(readers, Writers::Embedded(GroupCommit::new(connection)))
    }

    /// Opens a PostgreSQL database, which is there, and brings its schema up to date.
    pub async fn open_shared(url: &DatabaseUrl) -> Result<Self> {
        let readers = postgres::pool(url).await?;
        schema::migrate(&mut postgres::schema_connection(url).await?).await?;
        let pool = postgres::pool(url).await?;
        Self::over(readers, Writers::Shared { pool, url: url.clone() })
    }

    fn over(readers: AnyPool, writers: Writers) -> Result<Self> {
        Ok(Self { readers, writers, events: Arc::new(Events::new(Arc::new(SystemClock))?) })
    }

    /// The same, with events told by another clock than the system's.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self { events: Arc::new(Events::new(clock)?), ..self })
    }

    /// What has changed of late.
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Read> {
        Ok(self.readers.acquire().await?)
    }

    /// A turn to write. Dropped without [`Write::commit`], all that was written in it is undone.
    pub async fn write(&self) -> Result<Write> {
        let events = self.events.clone();
        match &self.writers {
            Writers::Embedded(writer) => Ok(Write::grouped(writer.begin().await?, events)),
            Writers::Shared { pool, .. } => Ok(Write::alone(pool.begin().await?, events)),
        }
    }

    /// The right to work on a check, to be had before its row is seen to be in progress.
    pub async fn lease_check(&self, id: CheckId) -> Result<Lease> {
        self.lease(postgres::check_lock(id.0)).await
    }

    /// The right to work on a cleanup, to be had before its row is seen to be in progress.
    pub async fn lease_cleanup(&self, id: CleanupId) -> Result<Lease> {
        self.lease(postgres::cleanup_lock(id.0)).await
    }

    /// The right to work on a task of a vault, to be had before its row is seen to be in progress.
    pub async fn lease_vault_task(&self, id: VaultTaskId) -> Result<Lease> {
        self.lease(postgres::vault_task_lock(id.0)).await
    }

    /// The right to look whether this is the first start, and to make it so.
    pub async fn lease_first_start(&self) -> Result<Lease> {
        self.lease(postgres::FIRST_START_LOCK).await
    }

    async fn lease(&self, lock: i64) -> Result<Lease> {
        let session = match &self.writers {
            Writers::Embedded(_) => None,
            Writers::Shared { url, .. } => Some(postgres::locked(url, lock).await?),
        };
        Ok(Lease { _session: session })
    }

    /// The way to other servers on the same database, if there can be any.
    pub fn neighbours(&self) -> Option<Neighbours> {
        match &self.writers {
            Writers::Embedded(_) => None,
            Writers::Shared { pool, url } => Some(Neighbours::new(pool.clone(), url.clone())),
        }
    }

    /// Waits for what is being written and closes every connection.
    pub async fn close(&self) {
        match &self.writers {
            Writers::Embedded(writer) => writer.close().await,
            Writers::Shared { pool, .. } => pool.close().await,
        }
        self.readers.close().await;
    }
}

fn held(file: &Path, error: Error) -> Error {
    if error.kind != ErrorKind::Unavailable {
        return error;
    }
    let message = format!("Another process holds the database {} for too long.", file.display());
    Error::new(error.kind, message).caused_by(error)
}
