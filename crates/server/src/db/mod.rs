//! The database: the only place with SQL. One file a noun; each function is one statement or a few.
//!
//! Reads go through a pool. Writes go through [`Db::write`], which hands out the one writing connection in turn: each
//! writer works in a savepoint of its own, and [`Write::commit`] returns when the transaction around all savepoints
//! of the group is on disk. So what was acknowledged survives a power cut, and a hundred writers that come together
//! pay for one `fsync`.
//!
//! The SQL keeps to what SQLite and PostgreSQL share: integers for times (milliseconds since 1970), text compared
//! bytewise, `$1` for parameters. What differs is in [`dialect`].

mod dialect;
mod group_commit;
pub mod row;
mod schema;

pub mod account;
pub mod agent;
pub mod api_key;
pub mod backup;
pub mod backup_configuration;
pub mod check;
pub mod enrolment_token;
pub mod restore;
pub mod run;
pub mod user;
pub mod vault;
pub mod vault_file;

use std::path::Path;

use sqlx::{Any, AnyConnection, AnyPool, pool::PoolConnection};

pub use group_commit::Write;

use crate::Result;
use group_commit::GroupCommit;

/// A connection that reads.
pub type Read = PoolConnection<Any>;
/// What statements run on: a reading connection or a [`Write`].
pub type Connection = AnyConnection;

/// The server's database.
#[derive(Debug)]
pub struct Db {
    readers: AnyPool,
    writer: GroupCommit,
}

impl Db {
    /// Opens the embedded database in this file, makes it if it is not there, and brings its schema up to date.
    pub async fn open_embedded(file: &Path) -> Result<Self> {
        let (readers, mut connection) = dialect::sqlite::open(file).await?;
        schema::migrate(&mut connection).await?;
        Ok(Self { readers, writer: GroupCommit::new(connection) })
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Read> {
        Ok(self.readers.acquire().await?)
    }

    /// A turn to write. Dropped without [`Write::commit`], all that was written in it is undone.
    pub async fn write(&self) -> Result<Write> {
        self.writer.begin().await
    }

    /// Waits for what is being written and closes every connection.
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}
